// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.calibrate;

import io.sightline.events.FrameRejectedException;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.RgbPlanes;
import io.sightline.inference.onnxruntime.GraphSession.Value;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.ValueInfo;
import io.sightline.vision.DecodedFrame;
import io.sightline.vision.FrameLimits;
import io.sightline.vision.Interpolation;
import io.sightline.vision.Letterbox;
import io.sightline.vision.OpenCvFrameDecoder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Pictures as the running job's engine sees them: the product's own decode and letterbox. Owns
 * both; for one thread at a time.
 */
public final class Pictures implements AutoCloseable {

    private final ModelSpec spec;
    private final OpenCvFrameDecoder decoder;
    private final Letterbox letterbox;
    private final ByteBuffer bytes;
    private final FloatBuffer planes;
    private final RgbPlanes converter = new RgbPlanes();

    public Pictures(ModelSpec spec, Interpolation interpolation) {
        this.spec = spec;
        bytes = ByteBuffer.allocateDirect(spec.slotBytes()).order(ByteOrder.nativeOrder());
        planes =
                ByteBuffer.allocateDirect(4 * spec.slotBytes())
                        .order(ByteOrder.nativeOrder())
                        .asFloatBuffer();
        decoder = new OpenCvFrameDecoder(FrameLimits.OWN_PICTURES);
        letterbox = new Letterbox(spec, interpolation);
    }

    /**
     * The picture as that input takes it, valid until the next: uint8 [1, height, width, 3] BGR, or
     * float32 [1, 3, height, width] RGB, 0..1.
     *
     * @throws ToolchainException if the file cannot be read or is no picture
     */
    public Value read(Path picture, ValueInfo input) {
        letterbox(picture);
        long height = spec.inputHeight();
        long width = spec.inputWidth();
        if (input.type() == ElementType.UINT8) {
            return Value.of(new long[] {1, height, width, 3}, bytes);
        }
        converter.convert(bytes, planes, 0);
        return Value.of(new long[] {1, 3, height, width}, planes);
    }

    /** uint8 [height, width, 3] BGR, letterboxed; valid until the next. */
    public ByteBuffer letterbox(Path picture) {
        try {
            DecodedFrame frame = decoder.decode(Files.readAllBytes(picture));
            letterbox.write(frame, bytes);
            return bytes;
        } catch (IOException e) {
            throw new ToolchainException("picture " + picture + ": cannot be read: " + e, e);
        } catch (FrameRejectedException e) {
            throw new ToolchainException("picture " + picture + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        letterbox.close();
        decoder.close();
    }
}
