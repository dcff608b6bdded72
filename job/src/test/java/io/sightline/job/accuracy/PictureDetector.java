// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.accuracy;

import io.sightline.events.DetectionEvent.DetectedObject;
import io.sightline.events.FrameRejectedException;
import io.sightline.inference.BatchBuffer;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.onnxruntime.OnnxRuntimeBackend;
import io.sightline.vision.DecodedFrame;
import io.sightline.vision.DetectionReader;
import io.sightline.vision.FrameLimits;
import io.sightline.vision.Interpolation;
import io.sightline.vision.Letterbox;
import io.sightline.vision.LetterboxGeometry;
import io.sightline.vision.NmsSettings;
import io.sightline.vision.OpenCvFrameDecoder;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The job's own decode, letterbox, engine and parser, one picture after the other and without Kafka
 * or Flink: what it finds is what the job would find.
 */
final class PictureDetector implements AutoCloseable {

    private static final FrameLimits LIMITS = new FrameLimits(1 << 24, 1 << 24);

    private final InferenceBackend backend;
    private final BatchBuffer buffer;
    private final OpenCvFrameDecoder decoder;
    private final Letterbox letterbox;
    private final DetectionReader reader;

    /** What was found in a picture of this size. */
    record Result(int width, int height, List<DetectedObject> objects) {}

    PictureDetector(Path model, int border, Interpolation interpolation, NmsSettings nms) {
        backend =
                OnnxRuntimeBackend.open(
                        model, new ModelOptions(Optional.empty(), OptionalInt.of(border)), 1, 1);
        buffer = backend.newBuffer();
        decoder = new OpenCvFrameDecoder(LIMITS);
        letterbox = new Letterbox(backend.spec(), interpolation);
        reader = new DetectionReader(backend.spec(), nms);
    }

    Result detect(byte[] encoded) throws FrameRejectedException {
        DecodedFrame picture = decoder.decode(encoded);
        LetterboxGeometry geometry = letterbox.write(picture, buffer.slot(0));
        backend.submit(buffer, 1);
        return new Result(
                picture.width(),
                picture.height(),
                reader.read(backend.await(buffer), 0).toObjects(geometry, backend.spec().labels()));
    }

    @Override
    public void close() {
        letterbox.close();
        decoder.close();
        buffer.close();
        backend.close();
    }
}
