// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Two jobs on one task manager, each with its own copy of the classes. */
class ProcessWideTest {

    private static final String NAME = "process-wide-test";

    @AfterEach
    void forget() {
        System.getProperties().remove("io.sightline.tensorrt." + NAME);
    }

    @Test
    void shouldGiveJobsOfDifferentClassLoadersTheSameThing() throws Exception {
        Object mine = ProcessWide.get(NAME, AtomicReference::new);
        URL classes = ProcessWide.class.getProtectionDomain().getCodeSource().getLocation();
        try (URLClassLoader other =
                new URLClassLoader(new URL[] {classes}, ClassLoader.getPlatformClassLoader())) {
            Class<?> copy = Class.forName(ProcessWide.class.getName(), true, other);
            assertThat(copy).isNotSameAs(ProcessWide.class);
            Method get = copy.getDeclaredMethod("get", String.class, Supplier.class);
            get.setAccessible(true);
            Supplier<Object> second = AtomicReference::new;
            assertThat(get.invoke(null, NAME, second)).isSameAs(mine);
        }
    }
}
