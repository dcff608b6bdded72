// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import io.sightline.inference.BackendFactory;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import io.sightline.inference.InputSize;
import io.sightline.inference.OutputLayout;
import io.sightline.inference.onnxruntime.OnnxRuntimeBackend;
import io.sightline.inference.onnxruntime.OnnxRuntimeBackendFactory;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Opens ONNX Runtime lanes of a model that travels with these classes, so that it is wherever they
 * are: in the distribution, and on every task manager that runs the job jar.
 *
 * <p>Engines read files, so it is unpacked for as long as opening takes. Nothing stays behind, and
 * nothing is shared between jobs.
 *
 * @param resource the model's name on the class path, without its ending
 * @param layout stated by the user; null where not
 * @param border stated by the user, in pixels; null where not
 * @param size stated by the user; null where not
 * @param maxBatch slots of a buffer where the graph leaves its batch open
 */
record BundledBackendFactory(
        String resource, OutputLayout layout, Integer border, InputSize size, int maxBatch)
        implements BackendFactory {

    /** The detector that comes with Sightline. */
    static final String MODEL = "/models/sightline-n6";

    private static final String ONNX = ".onnx";
    private static final String SPEC = ".json";

    @Override
    public String backend() {
        return OnnxRuntimeBackend.NAME;
    }

    @Override
    public List<InferenceBackend> open(int lanes) {
        try {
            Path folder = Files.createTempDirectory("sightline-model-");
            try {
                Path onnx = unpack(ONNX, folder);
                unpack(SPEC, folder);
                return files(onnx).open(lanes);
            } finally {
                Files.deleteIfExists(folder.resolve(fileName(ONNX)));
                Files.deleteIfExists(folder.resolve(fileName(SPEC)));
                Files.delete(folder);
            }
        } catch (IOException e) {
            throw new InferenceException(
                    "the bundled model cannot be unpacked into "
                            + System.getProperty("java.io.tmpdir")
                            + " ("
                            + e
                            + "): make room there, or name another folder with -Djava.io.tmpdir",
                    e);
        }
    }

    private OnnxRuntimeBackendFactory files(Path onnx) {
        return new OnnxRuntimeBackendFactory(onnx.toString(), layout, border, size, maxBatch);
    }

    private Path unpack(String ending, Path folder) throws IOException {
        Path file = folder.resolve(fileName(ending));
        try (InputStream in = stream(ending)) {
            Files.copy(in, file);
        }
        return file;
    }

    private String fileName(String ending) {
        return resource.substring(resource.lastIndexOf('/') + 1) + ending;
    }

    /**
     * @throws InferenceException if this build bundles no such model
     */
    private InputStream stream(String ending) {
        InputStream in = BundledBackendFactory.class.getResourceAsStream(resource + ending);
        if (in == null) {
            throw new InferenceException(
                    "no "
                            + resource.substring(1)
                            + ending
                            + " on the class path: this build has no bundled model, name one with --model FILE");
        }
        return in;
    }

    @Override
    public long estimatedLaneBytes() {
        try (InputStream in = stream(ONNX)) {
            return OnnxRuntimeBackendFactory.laneBytes(
                    in.transferTo(OutputStream.nullOutputStream()));
        } catch (IOException e) {
            // Opening it will say so in full.
            return 0;
        }
    }
}
