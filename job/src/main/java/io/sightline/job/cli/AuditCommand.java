// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sightline.job.DetectionOptions;
import io.sightline.kafka.KafkaConnection;
import io.sightline.kafka.TopicPosition;
import io.sightline.kafka.audit.Audit;
import io.sightline.kafka.audit.AuditReport;
import io.sightline.kafka.audit.AuditSettings;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code ./sightline audit}. */
@Command(
        name = "audit",
        description =
                "Prove from the topics that each frame of a range has exactly one answer: an event, a dead letter, or a drop that a camera status reports. Ends with 1 where it does not hold.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class AuditCommand implements Callable<Integer> {

    @Mixin KafkaFlags kafka;

    @Mixin JobTopics topics;

    @Option(
            names = "--group-id",
            paramLabel = "GROUP",
            defaultValue = "sightline",
            description = "Consumer group of the job: its --group-id, or its --job-name.")
    String groupId;

    @Option(
            names = "--from",
            paramLabel = "POSITION",
            defaultValue = "earliest",
            description =
                    "Where the range starts: earliest, committed, latest, a time (2026-11-23T10:00:00Z or milliseconds), or offsets (0:100,3:250: these partitions only).")
    String from;

    @Option(
            names = "--until",
            paramLabel = "POSITION",
            defaultValue = "committed",
            description =
                    "Where it ends: committed (what the job's last checkpoint holds), or as --from.")
    String until;

    @Option(
            names = "--exactly-once",
            description = "Answers that come twice are errors too, also such with equal ids.")
    boolean exactlyOnce;

    @Option(
            names = "--wait",
            paramLabel = "DURATION",
            defaultValue = "10s",
            description = "How long answers that are missing may take to appear.")
    Duration patience;

    @Option(names = "--json", description = "Print JSON instead of text.")
    boolean json;

    @Override
    public Integer call() throws Exception {
        AuditSettings settings =
                new AuditSettings(
                        KafkaConnection.of(
                                kafka.bootstrapServers,
                                DetectionOptions.kafkaClientProperties(kafka.properties)),
                        topics.frames,
                        topics.events,
                        topics.deadLetters,
                        topics.statuses,
                        groupId,
                        TopicPosition.parseStart(from),
                        TopicPosition.parseStart(until),
                        exactlyOnce,
                        patience);
        AuditReport report;
        try (ProgressLine line = ProgressLine.open();
                Audit audit =
                        new Audit(
                                settings,
                                (topic, done, total) ->
                                        line.step(
                                                "reading " + topic + ", percent",
                                                (int) (100 * done / Math.max(1, total)),
                                                100))) {
            report = audit.run();
        }
        if (json) {
            System.out.println(json(report));
        } else {
            print(report, System.out);
        }
        return report.holds() ? 0 : 1;
    }

    private static void printCameras(AuditReport report, PrintStream out) {
        out.printf(
                "  %-20s %12s %12s %12s %12s%n",
                "camera", "frames", "events", "dead letters", "dropped");
        for (AuditReport.Camera camera : report.cameras()) {
            out.printf(
                    "  %-20s %12d %12d %12d %12d%n",
                    camera.id(),
                    camera.frames(),
                    camera.events(),
                    camera.deadLetters(),
                    camera.dropped());
        }
        out.println(
                report.sumsUnknown() == null
                        ? "  held against what the statuses count for each camera"
                        : "  not held against the statuses' counts: " + report.sumsUnknown());
    }

    private static String json(AuditReport report) throws IOException {
        JsonMapper mapper =
                JsonMapper.builder()
                        .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                        .enable(SerializationFeature.INDENT_OUTPUT)
                        .build();
        ObjectNode tree = mapper.valueToTree(report);
        return mapper.writeValueAsString(tree.put("holds", report.holds()));
    }

    private static void print(AuditReport report, PrintStream out) {
        out.printf(
                "%s: %d offsets of %d partitions%n",
                report.framesTopic(), report.offsets(), report.ranges().size());
        out.printf("  events        %12d%n", report.events());
        out.printf("  dead letters  %12d%n", report.deadLetters());
        out.printf(
                "  dropped       %12d%s%n",
                report.dropped().values().stream().mapToLong(Long::longValue).sum(),
                report.dropped().isEmpty() ? "" : "  " + report.dropped());
        out.printf("  no frame      %12d%n", report.absent());
        out.printf("  deleted       %12d%n", report.deleted());
        out.printf("  missing       %12d%n", report.missing());
        for (AuditReport.Range range : report.missingRanges()) {
            out.printf(
                    "    partition %d, offsets %d to %d%n",
                    range.partition(), range.first(), range.end() - 1);
        }
        AuditReport.Doubled doubled = report.doubled();
        out.printf(
                "  answered again: %d events, %d dead letters, %d drops; dropped and answered: %d%n",
                doubled.events(),
                doubled.deadLetters(),
                doubled.dropped(),
                report.answeredAndDropped());
        printCameras(report, out);
        if (report.holds()) {
            out.println("holds: every frame has its answer");
        } else {
            report.problems().forEach(problem -> out.println("does not hold: " + problem));
        }
    }
}
