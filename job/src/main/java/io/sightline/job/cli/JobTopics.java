// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import picocli.CommandLine.Option;

/** The topics of a job, for commands that read them. */
final class JobTopics {

    @Option(
            names = "--frames-topic",
            paramLabel = "TOPIC",
            defaultValue = "camera-frames",
            description = "Topic of the cameras' frames, which the job reads.")
    String frames;

    @Option(
            names = "--events-topic",
            paramLabel = "TOPIC",
            defaultValue = "detections",
            description = "Topic of the job's detection events.")
    String events;

    @Option(
            names = "--dead-letter-topic",
            paramLabel = "TOPIC",
            defaultValue = "camera-frames-dead-letter",
            description = "Topic of the frames that the job could not read.")
    String deadLetters;

    @Option(
            names = "--camera-status-topic",
            paramLabel = "TOPIC",
            defaultValue = "camera-status",
            description =
                    "Topic of what the job says of each camera: frames it dropped, its lag, silence.")
    String statuses;
}
