// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.Objects;
import java.util.stream.Collectors;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class DetectionPipelineTest {

    /**
     * A savepoint of any release must restore in any later one: what identifies its state never
     * changes.
     */
    @ParameterizedTest
    @ValueSource(strings = {"none", "by-camera"})
    void shouldKeepTheUidsAndTheMaximalParallelismOfTheFirstRelease(String repartition)
            throws Exception {
        DetectionOptions options = new DetectionOptions();
        OptionTypes.register(new CommandLine(options))
                .parseArgs(
                        "--bootstrap-servers=localhost:9",
                        "--model=m.onnx",
                        // A start for which no broker has to be asked.
                        "--from=earliest",
                        "--repartition=" + repartition);
        StreamExecutionEnvironment environment =
                StreamExecutionEnvironment.getExecutionEnvironment(new Configuration());
        DetectionPipeline.build(environment, options, options.backendFactory());
        StreamGraph graph = environment.getStreamGraph();

        String actual =
                "max-parallelism "
                        + environment.getMaxParallelism()
                        + "\n"
                        + graph.getStreamNodes().stream()
                                .sorted(Comparator.comparingInt(StreamNode::getId))
                                .map(StreamNode::getTransformationUID)
                                .filter(Objects::nonNull)
                                .collect(Collectors.joining("\n"))
                        + "\n";
        try (var golden = getClass().getResourceAsStream("/golden/topology.txt")) {
            assertThat(actual).isEqualTo(new String(golden.readAllBytes(), StandardCharsets.UTF_8));
        }
    }
}
