// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import io.sightline.inference.InferenceException;
import java.util.List;
import org.apache.flink.util.FlinkUserCodeClassLoader;

/**
 * A native library can be loaded by one class loader of a process only. From a job's jar it would
 * be lost with the job, and a second job on the task manager, or the same one restarted, could not
 * load it.
 */
final class NativeLibraries {

    private static final List<String> ENTRY_POINTS =
            List.of("org.bytedeco.javacpp.Loader", "ai.onnxruntime.OrtEnvironment");

    private NativeLibraries() {}

    /**
     * @throws InferenceException if a native library would be loaded by the job's class loader, or
     *     is not there
     */
    static void requireShareable() {
        for (String name : ENTRY_POINTS) {
            ClassLoader loader;
            try {
                loader =
                        Class.forName(name, false, NativeLibraries.class.getClassLoader())
                                .getClassLoader();
            } catch (ClassNotFoundException e) {
                throw new InferenceException(
                        name
                                + " is not on the task manager's class path: put the jars of Sightline's lib/ folder into Flink's lib/",
                        e);
            }
            if (loader instanceof FlinkUserCodeClassLoader) {
                throw new InferenceException(
                        name
                                + " comes from the job's jar, where native libraries cannot be shared: put the jars of Sightline's lib/"
                                + " folder into Flink's lib/ and set classloader.parent-first-patterns.additional:"
                                + " org.bytedeco;ai.onnxruntime");
            }
        }
    }
}
