// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The walls of the house: which module may see which, and which libraries stay inside one. */
class ArchitectureTest {

    private static final String ROOT = "io.sightline.";

    /** Each module's package, and the modules of ours it may use. */
    private static final Map<String, Set<String>> MAY_USE =
            Map.of(
                    "events", Set.of(),
                    "inference", Set.of(),
                    "vision", Set.of("events", "inference"),
                    "kafka", Set.of("events"),
                    "camera", Set.of("events"),
                    "live", Set.of("events"),
                    "streaming", Set.of("vision", "inference", "events"),
                    "toolchain", Set.of("vision", "inference", "events"),
                    "job",
                            Set.of(
                                    "events",
                                    "inference",
                                    "vision",
                                    "kafka",
                                    "camera",
                                    "live",
                                    "streaming",
                                    "toolchain"));

    private static final JavaClasses MAIN =
            new ClassFileImporter()
                    .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                    .withImportOption(location -> !location.contains("-tests.jar"))
                    .importPackages("io.sightline");

    static Stream<String> modules() {
        return MAY_USE.keySet().stream().sorted();
    }

    @Test
    void shouldKnowEveryModule() {
        Set<String> found = new TreeSet<>();
        for (JavaClass ourClass : MAIN) {
            String inside = ourClass.getPackageName().substring(ROOT.length());
            int end = inside.indexOf('.');
            found.add(end < 0 ? inside : inside.substring(0, end));
        }
        assertThat(found).isEqualTo(new TreeSet<>(MAY_USE.keySet()));
    }

    @ParameterizedTest
    @MethodSource("modules")
    void shouldUseOnlyTheModulesItMay(String module) {
        String[] others =
                MAY_USE.keySet().stream()
                        .filter(other -> !other.equals(module))
                        .filter(other -> !MAY_USE.get(module).contains(other))
                        .map(ArchitectureTest::inModule)
                        .toArray(String[]::new);
        if (others.length > 0) {
            noClasses()
                    .that(resideInAPackage(inModule(module)))
                    .should()
                    .dependOnClassesThat(resideInAnyPackage(others))
                    .check(MAIN);
        }
    }

    @Test
    void shouldKeepKafkaOutOfStreaming() {
        noClasses()
                .that(resideInAPackage(inModule("streaming")))
                .should()
                .dependOnClassesThat(
                        resideInAnyPackage(
                                "org.apache.kafka..", "org.apache.flink.connector.kafka.."))
                .check(MAIN);
    }

    @Test
    void shouldKeepFlinkAndKafkaOutOfPlainJava() {
        noClasses()
                .that(in("events", "inference", "vision", "toolchain"))
                .should()
                .dependOnClassesThat(resideInAnyPackage("org.apache.flink..", "org.apache.kafka.."))
                .check(MAIN);
        noClasses()
                .that(in("camera", "live"))
                .should()
                .dependOnClassesThat(resideInAnyPackage("org.apache.flink.."))
                .check(MAIN);
    }

    @Test
    void shouldKeepThePicturesLibraryInsideVisionAndCamera() {
        for (String library : List.of("javacv", "opencv", "ffmpeg")) {
            classes()
                    .that(use("org.bytedeco." + library))
                    .should()
                    .resideInAnyPackage(inModule("vision"), inModule("camera"))
                    .check(MAIN);
        }
        classes()
                .that(use("org.bytedeco"))
                .should()
                .resideInAnyPackage(
                        inModule("vision"), inModule("camera"), "io.sightline.inference.tensorrt")
                .check(MAIN);
    }

    @Test
    void shouldKeepTensorRtAndCudaInsideTheirBackend() {
        for (String library : List.of("tensorrt", "cuda")) {
            classes()
                    .that(use("org.bytedeco." + library))
                    .should()
                    .resideInAPackage("io.sightline.inference.tensorrt")
                    .check(MAIN);
        }
    }

    @Test
    void shouldKeepOnnxRuntimeInsideItsBackend() {
        classes()
                .that(use("ai.onnxruntime"))
                .should()
                .resideInAnyPackage("io.sightline.inference.onnxruntime..")
                .check(MAIN);
    }

    @Test
    void shouldKeepTheBrokerInsideTheJob() {
        classes().that(use("kafka")).should().resideInAPackage("io.sightline.job..").check(MAIN);
    }

    @Test
    void shouldKeepTheWebServerInsideTheLiveView() {
        classes()
                .that(use("io.javalin").or(use("org.eclipse.jetty")).or(use("jakarta")))
                .should()
                .resideInAPackage(inModule("live"))
                .check(MAIN);
    }

    /** A cluster may bring SLF4J 1.7, which has no fluent calls. */
    @Test
    void shouldLogOnlyAsEveryClusterCan() {
        noClasses().should().dependOnClassesThat(resideInAPackage("org.slf4j.spi..")).check(MAIN);
    }

    @Test
    void shouldKeepTheCommandLineOutOfWhatAClusterRuns() {
        noClasses()
                .that(resideInAPackage("io.sightline.job"))
                .should()
                .dependOnClassesThat(
                        resideInAnyPackage(
                                "io.sightline.job.cli..",
                                "io.sightline.job.demo..",
                                "io.sightline.job.bench.."))
                .check(MAIN);
    }

    private static String inModule(String module) {
        return ROOT + module + "..";
    }

    private static DescribedPredicate<JavaClass> in(String... modules) {
        return resideInAnyPackage(
                Arrays.stream(modules).map(ArchitectureTest::inModule).toArray(String[]::new));
    }

    /** Classes that use one of that library. */
    private static DescribedPredicate<JavaClass> use(String library) {
        return DescribedPredicate.describe(
                "use " + library,
                ourClass ->
                        ourClass.getDirectDependenciesFromSelf().stream()
                                .map(dependency -> dependency.getTargetClass().getName())
                                .anyMatch(name -> name.startsWith(library + ".")));
    }
}
