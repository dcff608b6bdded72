// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.flink.configuration.YamlParserUtils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/**
 * What is in {@code docker/}, as far as it can be checked without an engine that runs it: it can be
 * read, and says the same as the build and as {@code docker/flink/config.yaml}, which {@link
 * ClusterIT} runs with.
 */
class DeploymentFilesTest {

    private static final Path DOCKER = Path.of("..", "docker");
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Said in another way there: see {@link #shouldGiveKubernetesTheMemoryOfTheConfiguration}. */
    private static final List<String> IN_RESOURCES =
            List.of("taskmanager.memory.process.size", "jobmanager.memory.process.size");

    @TempDir Path folder;

    static Stream<Path> yamlFiles() throws IOException {
        try (Stream<Path> files = Files.walk(DOCKER)) {
            return files
                    .filter(file -> file.toString().matches(".*\\.ya?ml"))
                    .filter(file -> !file.startsWith(DOCKER.resolve("target")))
                    .toList()
                    .stream();
        }
    }

    @ParameterizedTest
    @MethodSource("yamlFiles")
    void shouldHoldReadableYaml(Path file) throws Exception {
        assertThat(yaml(file).isObject()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"local-cluster", "check-environment", "measure"})
    void shouldHoldScriptsThatBashReads(String script) throws Exception {
        Process bash =
                new ProcessBuilder("bash", "-n", DOCKER.resolve(script).toString())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(bash.getInputStream().readAllBytes(), UTF_8);
        assertThat(bash.waitFor()).as(said).isZero();
    }

    @Test
    void shouldRunTheVersionsOfTheBuild() throws Exception {
        String pom = Files.readString(Path.of("..", "pom.xml"));
        String dockerfile = Files.readString(DOCKER.resolve("Dockerfile"));
        String flink = first(pom, "<flink.version>(.*)</flink.version>");
        String kafka = first(pom, "<kafka.version>(.*)</kafka.version>");
        assertThat(dockerfile).contains("FLINK_IMAGE=flink:" + flink + "-java17");
        assertThat(yaml(DOCKER.resolve("compose.yaml")).at("/services/kafka/image").asText())
                .isEqualTo("apache/kafka:" + kafka);
        JsonNode spec = yaml(DOCKER.resolve("kubernetes/base/sightline.yaml")).get("spec");
        assertThat(spec.get("flinkVersion").asText())
                .isEqualTo("v" + flink.replaceFirst("\\.\\d+$", "").replace('.', '_'));
        assertThat(spec.findValue("env").toString()).contains("flink-s3-fs-presto-" + flink);
    }

    /**
     * Flink's operator drops fields that its definition does not know, without a word. Newer ones
     * than the one tested against differ in the versions of Flink that they take.
     */
    @ParameterizedTest
    @ValueSource(strings = {"base/sightline.yaml", "gpu/gpu.yaml"})
    void shouldNameOnlyFieldsThatFlinksOperatorKnows(String file) throws Exception {
        JsonNode definition = yaml(operatorsDefinition());
        JsonNode schema = definition.at("/spec/versions/0/schema/openAPIV3Schema/properties/spec");
        assertThat(schema.isObject()).isTrue();
        List<String> unknown = new ArrayList<>();
        collectUnknown(
                yaml(DOCKER.resolve("kubernetes").resolve(file)).get("spec"),
                schema,
                "spec",
                unknown);
        assertThat(unknown).isEmpty();
    }

    private Path operatorsDefinition() throws IOException {
        Path copy = folder.resolve("definition.yml");
        try (InputStream in =
                getClass()
                        .getResourceAsStream(
                                "/META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml")) {
            Files.copy(in, copy);
        }
        return copy;
    }

    private static void collectUnknown(
            JsonNode value, JsonNode schema, String path, List<String> unknown) {
        if (value.isArray()) {
            value.forEach(item -> collectUnknown(item, schema.path("items"), path + "[]", unknown));
        } else if (value.isObject()
                && !schema.path("x-kubernetes-preserve-unknown-fields").asBoolean()) {
            for (Map.Entry<String, JsonNode> field : value.properties()) {
                String name = path + "/" + field.getKey();
                JsonNode known =
                        schema.path("properties").path(field.getKey()).isMissingNode()
                                ? schema.path("additionalProperties")
                                : schema.path("properties").path(field.getKey());
                if (known.isMissingNode()) {
                    unknown.add(name);
                } else {
                    collectUnknown(field.getValue(), known, name, unknown);
                }
            }
        }
    }

    @Test
    void shouldConfigureFlinkOnKubernetesAsInTheImages() throws Exception {
        Map<String, String> expected = settings(yaml(DOCKER.resolve("flink/config.yaml")));
        IN_RESOURCES.forEach(expected::remove);
        Map<String, String> actual =
                settings(
                        yaml(DOCKER.resolve("kubernetes/base/sightline.yaml"))
                                .at("/spec/flinkConfiguration"));
        assertThat(actual).containsAllEntriesOf(expected);
    }

    @Test
    void shouldGiveKubernetesTheMemoryOfTheConfiguration() throws Exception {
        JsonNode config = yaml(DOCKER.resolve("flink/config.yaml"));
        JsonNode spec = yaml(DOCKER.resolve("kubernetes/base/sightline.yaml")).get("spec");
        assertThat(spec.at("/taskManager/resource/memory"))
                .isEqualTo(config.get("taskmanager.memory.process.size"));
        assertThat(spec.at("/jobManager/resource/memory"))
                .isEqualTo(config.get("jobmanager.memory.process.size"));
    }

    @Test
    void shouldGiveTheJobOptionsThatItHas() throws Exception {
        List<String> kubernetes = new ArrayList<>();
        yaml(DOCKER.resolve("kubernetes/base/sightline.yaml"))
                .at("/spec/job/args")
                .forEach(arg -> kubernetes.add(arg.asText()));
        List<String> compose = new ArrayList<>();
        yaml(DOCKER.resolve("compose.yaml"))
                .at("/services/jobmanager/command")
                .forEach(arg -> compose.add(arg.asText()));
        assertThat(compose.subList(0, 3))
                .containsExactly("standalone-job", "--job-classname", DetectionJob.class.getName());
        List<String> gpu = new ArrayList<>(kubernetes);
        for (JsonNode step : patch("gpu", 1)) {
            assertThat(step.get("path").asText()).isEqualTo("/spec/job/args/-");
            gpu.add(step.get("value").asText());
        }
        List<String> example = new ArrayList<>();
        for (JsonNode step : patch("example", 0)) {
            if (step.get("path").asText().equals("/spec/job/args")) {
                step.get("value").forEach(arg -> example.add(arg.asText()));
            }
        }
        assertThat(parsed(gpu).model.backend).isEqualTo(ModelChoice.Backend.TENSORRT);
        assertThat(parsed(example).model.file()).hasFileName("yolov6s-onnxruntime.onnx");
        parsed(gpu).validate();
        parsed(kubernetes).validate();
        parsed(compose.subList(3, compose.size())).validate();
    }

    private static JsonNode patch(String variant, int number) throws Exception {
        return JSON.readTree(
                yaml(DOCKER.resolve("kubernetes").resolve(variant).resolve("kustomization.yaml"))
                        .at("/patches/" + number + "/patch")
                        .asText());
    }

    @Test
    void shouldAlertOnKubernetesAsElsewhere() throws Exception {
        assertThat(yaml(DOCKER.resolve("kubernetes/base/prometheus-rule.yaml")).at("/spec/groups"))
                .isEqualTo(yaml(DOCKER.resolve("prometheus/alerts.yaml")).get("groups"));
    }

    private static DetectionOptions parsed(List<String> args) {
        DetectionOptions options = new DetectionOptions();
        OptionTypes.register(new CommandLine(options)).parseArgs(args.toArray(String[]::new));
        return options;
    }

    @Test
    void shouldMonitorThePortThatTheReporterHas() throws Exception {
        String port =
                yaml(DOCKER.resolve("flink/config.yaml"))
                        .get("metrics.reporter.prometheus.port")
                        .asText();
        assertThat(Files.readString(DOCKER.resolve("prometheus/prometheus.yml")))
                .contains("port: " + port);
        assertThat(
                        yaml(DOCKER.resolve("kubernetes/base/sightline.yaml"))
                                .at("/spec/podTemplate/spec/containers/0/ports/0/containerPort")
                                .asText())
                .isEqualTo(port);
    }

    private static JsonNode yaml(Path file) throws Exception {
        return JSON.valueToTree(YamlParserUtils.loadYamlFile(file.toFile()));
    }

    private static Map<String, String> settings(JsonNode flat) {
        Map<String, String> settings = new LinkedHashMap<>();
        flat.properties().forEach(e -> settings.put(e.getKey(), e.getValue().asText()));
        return settings;
    }

    private static String first(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        assertThat(matcher.find()).as(pattern).isTrue();
        return matcher.group(1);
    }
}
