// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What is in the job jar and in the distribution, as the build has just packed them. */
class PackagingIT {

    private static final Path TARGET = Path.of("target");

    /** What the JDK has, and a Flink cluster, which for Sightline has natives in its lib/. */
    private static final List<String> OF_THE_CLUSTER =
            List.of(
                    "java.",
                    "javax.",
                    "com.sun.management.",
                    "org.apache.flink.",
                    "org.bytedeco.",
                    "ai.onnxruntime.",
                    "org.slf4j.");

    @Test
    void shouldPackOnlyPureJavaThatTheClusterLacks() throws IOException {
        try (JarFile jar = jobJar()) {
            Set<String> names = names(jar);
            assertThat(names)
                    .contains("META-INF/LICENSE", "META-INF/NOTICE")
                    .anyMatch(name -> name.startsWith("org/apache/kafka/clients/consumer/"))
                    .anyMatch(name -> name.startsWith("org/apache/flink/connector/kafka/source/"))
                    .anyMatch(name -> name.startsWith("org/apache/flink/connector/base/source/"))
                    .anyMatch(name -> name.startsWith("io/sightline/events/"))
                    .anyMatch(name -> name.startsWith("io/sightline/inference/"));
            assertThat(names)
                    .noneMatch(name -> name.startsWith("org/bytedeco/"))
                    .noneMatch(name -> name.startsWith("ai/onnxruntime/"))
                    .noneMatch(name -> name.startsWith("org/slf4j/"))
                    .noneMatch(name -> name.startsWith("org/apache/logging/"))
                    .noneMatch(name -> name.startsWith("org/apache/flink/runtime/"))
                    .noneMatch(name -> name.startsWith("org/apache/flink/core/"))
                    .noneMatch(name -> name.startsWith("org/apache/flink/streaming/api/"))
                    .noneMatch(name -> name.startsWith("kafka/server/"))
                    .noneMatch(name -> name.startsWith("scala/"))
                    .noneMatch(name -> name.startsWith("io/sightline/camera/"))
                    .noneMatch(name -> name.startsWith("io/sightline/live/"))
                    .noneMatch(name -> name.startsWith("live/"))
                    .noneMatch(name -> name.startsWith("io/javalin/"))
                    .noneMatch(name -> name.startsWith("org/eclipse/jetty/"))
                    .noneMatch(name -> name.startsWith("kotlin/"))
                    .noneMatch(name -> name.startsWith("io/sightline/job/cli/"))
                    .noneMatch(name -> name.startsWith("io/sightline/job/demo/"))
                    .noneMatch(name -> name.startsWith("io/sightline/job/bench/"))
                    .noneMatch(name -> name.startsWith("io/sightline/job/local/"))
                    .noneMatch(name -> name.matches(".*\\.(so|dll|dylib|jnilib)"))
                    .noneMatch(name -> name.matches("META-INF/[^/]*\\.(SF|DSA|RSA)"));
        }
    }

    @Test
    void shouldPackTheBundledModelForTheTaskManagers() throws IOException {
        Path model = Path.of("src/main/resources/models/sightline-n6.onnx");
        if (!Files.exists(model)) {
            System.out.println("skipped: no bundled model in this build");
        }
        assumeTrue(Files.exists(model), "no bundled model in this build");
        try (JarFile jar = jobJar()) {
            assertThat(names(jar))
                    .contains(
                            "models/sightline-n6.onnx",
                            "models/sightline-n6.json",
                            "models/sightline-n6-tensorrt.onnx",
                            "models/sightline-n6-tensorrt.json");
        }
    }

    @Test
    void shouldStartTheDetectionJob() throws IOException {
        try (JarFile jar = jobJar()) {
            assertThat(jar.getManifest().getMainAttributes().getValue("Main-Class"))
                    .isEqualTo("io.sightline.job.DetectionJob");
        }
    }

    @Test
    void shouldPackEveryClassThatOursNeed() throws IOException {
        try (JarFile jar = jobJar()) {
            Set<String> names = names(jar);
            JavaClasses ours =
                    new ClassFileImporter(List.of(location -> location.contains("/io/sightline/")))
                            .importJar(jar);
            Set<String> missing = new TreeSet<>();
            for (JavaClass ourClass : ours) {
                for (Dependency dependency : ourClass.getDirectDependenciesFromSelf()) {
                    JavaClass needed = dependency.getTargetClass().getBaseComponentType();
                    String name = needed.getName();
                    if (!needed.isPrimitive()
                            && !names.contains(name.replace('.', '/') + ".class")
                            && OF_THE_CLUSTER.stream().noneMatch(name::startsWith)) {
                        missing.add(ourClass.getName() + " needs " + name);
                    }
                }
            }
            assertThat(ours).isNotEmpty();
            assertThat(missing).isEmpty();
        }
    }

    @Test
    void shouldShipEachLibraryOnceWithTheNativesOfOneSystem() throws IOException {
        Path distribution = distribution();
        assertThat(distribution.resolve("sightline")).isExecutable();
        assertThat(distribution.resolve("LICENSE")).isRegularFile();
        assertThat(distribution.resolve("conf/log4j2.properties")).isRegularFile();
        Map<String, String> versions = new HashMap<>();
        try (Stream<Path> files = Files.list(distribution.resolve("lib"))) {
            for (String name : files.map(file -> file.getFileName().toString()).toList()) {
                // Natives come beside the classes that load them.
                String artifact =
                        name.replaceFirst("-[0-9].*?(-(linux|macosx|windows)-.*)?\\.jar$", "$1");
                assertThat(versions.put(artifact, name)).as("beside %s", name).isNull();
            }
        }
        assertThat(versions.keySet())
                .contains(
                        "sightline-job",
                        "flink-runtime",
                        "flink-clients",
                        "kafka_2.13",
                        "log4j-core",
                        "log4j-slf4j2-impl",
                        "javalin",
                        "sightline-live-view",
                        "opencv",
                        "ffmpeg")
                .noneMatch(name -> name.startsWith("junit") || name.startsWith("assertj"))
                .noneMatch(name -> name.startsWith("flink-test-utils"));
        // 3.1 GB that a build has to ask for with -Pgpu.
        assertThat(versions.values())
                .filteredOn(name -> name.matches("(cuda|tensorrt)-.*-(linux|windows)-.*"))
                .hasSize(Integer.getInteger("test.gpu.libraries"));
        Path onnxruntime = distribution.resolve("lib").resolve(only(versions, "onnxruntime"));
        try (JarFile jar = new JarFile(onnxruntime.toFile())) {
            String natives = "ai/onnxruntime/native/";
            Set<String> systems =
                    names(jar).stream()
                            .filter(name -> name.matches(natives + "[^/]+/.+"))
                            .map(name -> name.substring(natives.length()))
                            .map(name -> name.substring(0, name.indexOf('/')))
                            .collect(Collectors.toSet());
            assertThat(systems).hasSize(1);
            assertThat(names(jar)).contains("ai/onnxruntime/OrtSession.class");
        }
    }

    private static String only(Map<String, String> versions, String prefix) {
        List<String> names =
                versions.values().stream().filter(name -> name.startsWith(prefix)).toList();
        assertThat(names).hasSize(1);
        return names.get(0);
    }

    private static Set<String> names(JarFile jar) {
        return jar.stream().map(JarEntry::getName).collect(Collectors.toSet());
    }

    private static JarFile jobJar() throws IOException {
        Path jar = TARGET.resolve("sightline-job.jar");
        assertThat(jar).as("built by: mvn package").isRegularFile();
        return new JarFile(jar.toFile());
    }

    private static Path distribution() throws IOException {
        try (Stream<Path> folders = Files.list(TARGET)) {
            return folders.filter(Files::isDirectory)
                    .filter(folder -> folder.getFileName().toString().startsWith("sightline-"))
                    .findFirst()
                    .orElseThrow();
        }
    }
}
