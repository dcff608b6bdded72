// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sightline.camera.EncodedFrame;
import io.sightline.camera.KafkaFrameSink;
import io.sightline.job.local.EmbeddedBroker;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What scripts go by: the status, and the report as JSON. */
@Timeout(120)
class AuditCommandIT {

    @Test
    void shouldEndWithOneWhereFramesHaveNoAnswer() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(1 << 20)) {
            for (String topic :
                    new String[] {
                        "camera-frames", "detections", "camera-frames-dead-letter", "camera-status"
                    }) {
                broker.createTopic(topic, 1, Map.of());
            }
            String server = "--bootstrap-servers=" + broker.bootstrapServers();
            CommandLineRun nothing = CommandLineRun.of("audit", server);
            assertThat(nothing.status()).isEqualTo(1);
            assertThat(nothing.err())
                    .startsWith("sightline audit: nothing to audit: topic 'camera-frames'");
            try (KafkaFrameSink sink =
                    KafkaFrameSink.connect(
                            Map.of("bootstrap.servers", broker.bootstrapServers()),
                            "camera-frames",
                            1000)) {
                for (int seq = 0; seq < 3; seq++) {
                    sink.accept(new EncodedFrame("cam-1", new byte[10], 1, seq, 0, 0, "1/25"));
                }
                sink.flush();
            }
            CommandLineRun text = CommandLineRun.of("audit", server, "--until=latest", "--wait=0s");
            assertThat(text.status()).isEqualTo(1);
            assertThat(text.outLines())
                    .contains(
                            "camera-frames: 3 offsets of 1 partitions",
                            "    partition 0, offsets 0 to 2",
                            "does not hold: 3 frames have no answer");

            CommandLineRun json =
                    CommandLineRun.of("audit", server, "--until=0:2", "--wait=0s", "--json");
            assertThat(json.status()).isEqualTo(1);
            JsonNode report = new ObjectMapper().readTree(json.out());
            assertThat(report.get("holds").asBoolean()).isFalse();
            assertThat(report.get("missing").asLong()).isEqualTo(2);
            assertThat(report.at("/missing_ranges/0/end").asLong()).isEqualTo(2);
            assertThat(report.at("/doubled/dead_letters").asLong()).isZero();
        }
    }
}
