// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.onnxruntime;

import io.sightline.inference.FileBackendFactory;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InputSize;
import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.OutputLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Opens single-threaded ONNX Runtime lanes of one model file.
 *
 * @param model path of the ONNX file where the lane is opened
 * @param layout stated by the user; null where not
 * @param border stated by the user, in pixels; null where not
 * @param size stated by the user; null where not
 * @param maxBatch slots of a buffer where the graph leaves its batch open
 */
public record OnnxRuntimeBackendFactory(
        String model, OutputLayout layout, Integer border, InputSize size, int maxBatch)
        implements FileBackendFactory {

    /**
     * Of the file's size: the weights as read, once more as laid out for the kernels, and the
     * activations, which for detectors are of the same order.
     */
    private static final int FILE_SIZES_A_LANE = 4;

    private static final int THREADS_A_LANE = 1;

    @Override
    public String backend() {
        return OnnxRuntimeBackend.NAME;
    }

    @Override
    public FileBackendFactory withModel(String other) {
        return new OnnxRuntimeBackendFactory(other, layout, border, size, maxBatch);
    }

    @Override
    public List<InferenceBackend> open(int lanes) {
        return open(lanes, SessionSettings.serving(THREADS_A_LANE));
    }

    /**
     * Lanes that give what ONNX defines, slowly: for a file whose target is another engine, too,
     * whatever that engine makes of it.
     */
    public List<InferenceBackend> openAsDefined(int lanes) {
        return open(lanes, SessionSettings.reference(THREADS_A_LANE));
    }

    private List<InferenceBackend> open(int lanes, SessionSettings settings) {
        ModelFile file = ModelFile.read(Path.of(model));
        ModelOptions options = ModelOptions.of(layout, border, size);
        List<InferenceBackend> backends = new ArrayList<>();
        try {
            for (int i = 0; i < lanes; i++) {
                backends.add(OnnxRuntimeBackend.open(file, options, maxBatch, settings));
            }
            return backends;
        } catch (RuntimeException | Error e) {
            backends.forEach(InferenceBackend::close);
            throw e;
        }
    }

    @Override
    public long estimatedLaneBytes() {
        try {
            return FILE_SIZES_A_LANE * Files.size(Path.of(model));
        } catch (IOException e) {
            // Opening it will say so in full.
            return 0;
        }
    }
}
