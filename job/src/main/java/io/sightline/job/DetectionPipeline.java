// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import io.sightline.events.DetectionEvent;
import io.sightline.events.FrameRecord;
import io.sightline.inference.BackendFactory;
import io.sightline.kafka.CameraStatusSink;
import io.sightline.kafka.DeadLetterSink;
import io.sightline.kafka.EventSink;
import io.sightline.kafka.FrameSource;
import io.sightline.streaming.CaptureTimeWatermarks;
import io.sightline.streaming.DetectOperator;
import io.sightline.streaming.DetectOperatorFactory;
import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * The topology:
 *
 * <pre>
 *   frames ──> detect ──> events
 *                 ├─────> dead letters
 *                 └─────> camera status
 * </pre>
 *
 * One chain, unless frames are repartitioned. The uids are part of every savepoint: they are fixed
 * for ever.
 */
final class DetectionPipeline {

    static final String FRAMES = "frames";
    static final String DETECT = "detect";
    static final String EVENTS = "events";
    static final String DEAD_LETTERS = "dead-letters";
    static final String CAMERA_STATUS = "camera-status";

    /** Part of every savepoint, as the uids are. */
    static final int MAX_PARALLELISM = 128;

    private DetectionPipeline() {}

    /**
     * Adds the topology to the environment.
     *
     * @param engines of the options' model
     */
    static void build(
            StreamExecutionEnvironment environment,
            DetectionOptions options,
            BackendFactory engines) {
        environment.setMaxParallelism(MAX_PARALLELISM);
        // Frames are never changed once read, so handing them on needs no copy.
        environment.getConfig().enableObjectReuse();

        DataStream<FrameRecord> frames =
                environment
                        .fromSource(
                                FrameSource.build(options.sourceSettings()),
                                CaptureTimeWatermarks.strategy(
                                        options.clockTolerance, options.silentAfter),
                                FRAMES)
                        .uid(FRAMES);
        if (options.repartition == DetectionOptions.Repartition.BY_CAMERA) {
            frames = frames.keyBy(DetectionPipeline::camera);
        }
        SingleOutputStreamOperator<DetectionEvent> events =
                frames.transform(
                                DETECT,
                                TypeInformation.of(DetectionEvent.class),
                                new DetectOperatorFactory(options.detectSettings(engines)))
                        .uid(DETECT);
        events.sinkTo(EventSink.build(options.sinkSettings())).name(EVENTS).uid(EVENTS);
        events.getSideOutput(DetectOperator.DEAD_LETTERS)
                .sinkTo(DeadLetterSink.build(options.sinkSettings()))
                .name(DEAD_LETTERS)
                .uid(DEAD_LETTERS);
        events.getSideOutput(DetectOperator.CAMERA_STATUS)
                .sinkTo(CameraStatusSink.build(options.sinkSettings()))
                .name(CAMERA_STATUS)
                .uid(CAMERA_STATUS);
    }

    /**
     * Whatever the key is: a frame whose key is no camera id still has to arrive somewhere, always
     * the same.
     */
    private static String camera(FrameRecord frame) {
        return frame.key() == null ? "" : new String(frame.key(), StandardCharsets.ISO_8859_1);
    }
}
