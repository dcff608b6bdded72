// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import io.sightline.events.DetectionEvent.DetectedObject;
import io.sightline.events.FrameRejectedException;
import io.sightline.inference.BatchBuffer;
import io.sightline.inference.InferenceBackend;
import io.sightline.vision.DecodedFrame;
import io.sightline.vision.DetectionReader;
import io.sightline.vision.FrameLimits;
import io.sightline.vision.Interpolation;
import io.sightline.vision.Letterbox;
import io.sightline.vision.LetterboxGeometry;
import io.sightline.vision.NmsSettings;
import io.sightline.vision.OpenCvFrameDecoder;
import java.util.List;

/**
 * The job's own decode, letterbox, engine and parser, one picture after the other and without Kafka
 * or Flink: what it finds is what the job would find. For one thread at a time.
 */
public final class PictureDetector implements AutoCloseable {

    private final InferenceBackend backend;
    private final DetectionReader reader;
    private final BatchBuffer buffer;
    private final OpenCvFrameDecoder decoder;
    private final Letterbox letterbox;

    /**
     * What was found in a picture.
     *
     * @param width of the picture, pixels
     * @param height of the picture, pixels
     * @param objects by falling confidence, in pixels of the picture
     */
    public record Result(int width, int height, List<DetectedObject> objects) {}

    /**
     * @param backend stays the caller's, who closes it after this
     */
    public PictureDetector(InferenceBackend backend, Interpolation interpolation, NmsSettings nms) {
        this.backend = backend;
        reader = new DetectionReader(backend.spec(), nms);
        decoder = new OpenCvFrameDecoder(FrameLimits.OWN_PICTURES);
        letterbox = new Letterbox(backend.spec(), interpolation);
        // Last, so that nothing can fail after it and leave it open.
        buffer = backend.newBuffer();
    }

    /**
     * @param encoded a whole JPEG, PNG or WebP
     * @throws FrameRejectedException if the picture cannot be decoded
     */
    public Result detect(byte[] encoded) throws FrameRejectedException {
        DecodedFrame picture = decoder.decode(encoded);
        LetterboxGeometry geometry = letterbox.write(picture, buffer.slot(0));
        backend.submit(buffer, 1);
        return new Result(
                picture.width(),
                picture.height(),
                reader.read(backend.await(buffer), 0).toObjects(geometry, backend.spec().labels()));
    }

    /** Idempotent; leaves the backend open. */
    @Override
    public void close() {
        letterbox.close();
        decoder.close();
        buffer.close();
    }
}
