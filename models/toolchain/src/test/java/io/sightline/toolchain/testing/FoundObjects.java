// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.inference.BatchBuffer;
import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.onnxruntime.OnnxRuntimeBackend;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.vision.DetectionReader;
import io.sightline.vision.Detections;
import io.sightline.vision.FrameLimits;
import io.sightline.vision.Interpolation;
import io.sightline.vision.Letterbox;
import io.sightline.vision.NmsSettings;
import io.sightline.vision.OpenCvFrameDecoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What detectors find in pictures, and whether two find the same. */
public final class FoundObjects {

    private FoundObjects() {}

    /**
     * Through the job's own decode, letterbox, engine and reader.
     *
     * @param batch pictures of a run; their number has to be a multiple of it
     * @param optimise whether the engine may change the graph
     * @return for each picture what each of the settings leaves, picture by picture
     */
    public static List<Detections> in(
            List<Path> pictures,
            Path model,
            ModelOptions options,
            int batch,
            boolean optimise,
            NmsSettings... settings)
            throws Exception {
        List<Detections> found = new ArrayList<>();
        try (OnnxRuntimeBackend backend =
                        OnnxRuntimeBackend.open(
                                ModelFile.read(model),
                                options,
                                batch,
                                new SessionSettings(2, optimise, Optional.empty()));
                BatchBuffer buffer = backend.newBuffer();
                OpenCvFrameDecoder decoder =
                        new OpenCvFrameDecoder(new FrameLimits(1 << 24, 1 << 24));
                Letterbox letterbox = new Letterbox(backend.spec(), Interpolation.LINEAR)) {
            List<DetectionReader> readers =
                    Stream.of(settings)
                            .map(nms -> new DetectionReader(backend.spec(), nms))
                            .toList();
            for (int i = 0; i < pictures.size(); i += batch) {
                for (int frame = 0; frame < batch; frame++) {
                    letterbox.write(
                            decoder.decode(Files.readAllBytes(pictures.get(i + frame))),
                            buffer.slot(frame));
                }
                backend.submit(buffer, batch);
                for (int frame = 0; frame < batch; frame++) {
                    for (DetectionReader reader : readers) {
                        found.add(reader.read(backend.await(buffer), frame));
                    }
                }
            }
        }
        return found;
    }

    /** The same objects, each found once; nearly equal scores may come in another order. */
    public static void assertSame(Detections expected, Detections found, String what) {
        assertThat(found.size()).as(what).isEqualTo(expected.size());
        boolean[] taken = new boolean[found.size()];
        for (int i = 0; i < expected.size(); i++) {
            int match = -1;
            for (int j = 0; j < found.size() && match < 0; j++) {
                if (!taken[j] && isSame(expected, i, found, j)) {
                    match = j;
                }
            }
            assertThat(match).as("%s: %d of %s in %s", what, i, expected, found).isNotNegative();
            taken[match] = true;
        }
    }

    private static boolean isSame(Detections one, int i, Detections other, int j) {
        return one.classId(i) == other.classId(j)
                && Math.abs(one.confidence(i) - other.confidence(j)) < 1e-4
                && Math.abs(one.x1(i) - other.x1(j)) < 0.02
                && Math.abs(one.y1(i) - other.y1(j)) < 0.02
                && Math.abs(one.x2(i) - other.x2(j)) < 0.02
                && Math.abs(one.y2(i) - other.y2(j)) < 0.02;
    }
}
