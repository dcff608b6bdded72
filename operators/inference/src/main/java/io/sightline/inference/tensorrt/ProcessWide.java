// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import java.util.Properties;
import java.util.function.Supplier;

/**
 * One of each thing for the whole process. A static field is not: in a Flink cluster every job has
 * a class loader of its own, with its own copy of these classes, and what a job left to C++ would
 * go with its class loader. System properties are the one place that all of them see.
 */
final class ProcessWide {

    private static final String PREFIX = "io.sightline.tensorrt.";

    private ProcessWide() {}

    /**
     * @param name of the thing
     * @param first makes it where nobody has; its class must be Java's own or the bindings', which
     *     all class loaders have in common
     */
    static Object get(String name, Supplier<Object> first) {
        Properties everywhere = System.getProperties();
        synchronized (everywhere) {
            Object found = everywhere.get(PREFIX + name);
            if (found == null) {
                found = first.get();
                everywhere.put(PREFIX + name, found);
            }
            return found;
        }
    }
}
