// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.accuracy;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.camera.CameraReplay;
import io.sightline.events.testing.SharedFiles;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.onnxruntime.OnnxRuntimeBackend;
import io.sightline.toolchain.evaluate.PictureDetector;
import io.sightline.vision.Interpolation;
import io.sightline.vision.NmsSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** Persons in a surveillance video, found without Kafka or Flink. */
class PersonAccuracyIT {

    /** The ground truth is of the original, 768 × 576; the video is 480 × 360. */
    private static final double SCALE = 0.625;

    @Test
    void shouldFindThePersonsOfTheVideo() throws Exception {
        Path model = SharedFiles.require("models/yolov6-lite-l-320.onnx");
        Path video = SharedFiles.require("data/mot/PETS09-S2L1-480x360.mp4");
        MotScore score = new MotScore(SharedFiles.require("data/mot/PETS09-S2L1-gt.txt"), SCALE);
        List<byte[]> frames = CameraReplay.encodeAll(video.toString(), 95, Integer.MAX_VALUE);
        assertThat(frames).hasSize(795);
        ModelOptions options = new ModelOptions(Optional.empty(), OptionalInt.of(0));
        try (InferenceBackend backend = OnnxRuntimeBackend.open(model, options, 1, 1);
                PictureDetector detector =
                        new PictureDetector(
                                backend, Interpolation.LINEAR, NmsSettings.infer(0.4f, 0.45f))) {
            // Neighbours look alike: every third says as much, in a third of the time.
            for (int seq = 0; seq < frames.size(); seq += 3) {
                score.add(seq, detector.detect(frames.get(seq)).objects());
            }
        }
        System.out.println("PETS09-S2L1, yolov6-lite-l-320: " + score);
        // Published for this model: 0.89 and 0.89.
        assertThat(score.recall()).isGreaterThanOrEqualTo(0.85);
        assertThat(score.precision()).isGreaterThanOrEqualTo(0.85);
    }
}
