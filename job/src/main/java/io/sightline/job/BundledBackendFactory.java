// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import io.sightline.inference.BackendFactory;
import io.sightline.inference.FileBackendFactory;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/**
 * Opens lanes of a model that travels with these classes, so that it is wherever they are: in the
 * distribution, and on every task manager that runs the job jar.
 *
 * <p>Engines read files, so it is unpacked for as long as opening takes. Nothing stays behind, and
 * nothing is shared between jobs.
 *
 * @param files opens them once they are files; its model is the name on the class path, without its
 *     ending
 */
record BundledBackendFactory(FileBackendFactory files) implements BackendFactory {

    /** The detector that comes with Sightline, as ONNX Runtime runs it. */
    static final String ONNXRUNTIME = "/models/sightline-n6";

    /** The same for TensorRT. */
    static final String TENSORRT = "/models/sightline-n6-tensorrt";

    private static final String ONNX = ".onnx";
    private static final String SPEC = ".json";

    @Override
    public String backend() {
        return files.backend();
    }

    @Override
    public int defaultLanes() {
        return files.defaultLanes();
    }

    @Override
    public BackendFactory onGpus(List<Integer> devices) {
        return new BundledBackendFactory(files.onGpus(devices));
    }

    @Override
    public List<InferenceBackend> open(int lanes) {
        try {
            return unpacked(unpacked -> unpacked.open(lanes));
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

    @Override
    public long estimatedProcessBytes() {
        return files.estimatedProcessBytes();
    }

    @Override
    public long estimatedLaneBytes() {
        try {
            return unpacked(BackendFactory::estimatedLaneBytes);
        } catch (IOException e) {
            // Opening it will say so in full.
            return 0;
        }
    }

    private <T> T unpacked(Function<BackendFactory, T> use) throws IOException {
        Path folder = Files.createTempDirectory("sightline-model-");
        try {
            Path onnx = unpack(ONNX, folder);
            unpack(SPEC, folder);
            return use.apply(files.withModel(onnx.toString()));
        } finally {
            Files.deleteIfExists(folder.resolve(fileName(ONNX)));
            Files.deleteIfExists(folder.resolve(fileName(SPEC)));
            Files.delete(folder);
        }
    }

    private Path unpack(String ending, Path folder) throws IOException {
        Path file = folder.resolve(fileName(ending));
        try (InputStream in = stream(ending)) {
            Files.copy(in, file);
        }
        return file;
    }

    private String fileName(String ending) {
        return files.model().substring(files.model().lastIndexOf('/') + 1) + ending;
    }

    /**
     * @throws InferenceException if this build bundles no such model
     */
    private InputStream stream(String ending) {
        String resource = files.model() + ending;
        InputStream in = BundledBackendFactory.class.getResourceAsStream(resource);
        if (in == null) {
            throw new InferenceException(
                    "no "
                            + resource.substring(1)
                            + " on the class path: this build has no bundled model, name one with --model FILE");
        }
        return in;
    }
}
