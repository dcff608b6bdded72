// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import io.sightline.inference.FileBackendFactory;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InputSize;
import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.OutputLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens lanes of one model file on NVIDIA GPUs, after building the engine where that has not been
 * done.
 *
 * @param model path of the ONNX file where the lane is opened
 * @param layout stated by the user; null where not
 * @param border stated by the user, in pixels; null where not
 * @param size stated by the user; null where not
 * @param maxBatch slots of a buffer where the graph leaves its batch open
 * @param engineBatch largest batch that the engine is built for; at least {@code maxBatch}, so that
 *     one engine can serve several
 * @param precision stated by the user; null where not
 * @param gpus indices as the CUDA driver counts, lanes take them in turn; empty where the user
 *     names none: those that Flink assigns, else the first
 * @param engineCache folder of engines where the lane is opened; null for the user's own
 */
public record TensorRtBackendFactory(
        String model,
        OutputLayout layout,
        Integer border,
        InputSize size,
        int maxBatch,
        int engineBatch,
        Precision precision,
        List<Integer> gpus,
        String engineCache)
        implements FileBackendFactory {

    private static final Logger LOG = LoggerFactory.getLogger(TensorRtBackendFactory.class);

    /** What the driver and the libraries take in the process, whatever the model. */
    private static final long LIBRARY_BYTES = 512L << 20;

    public TensorRtBackendFactory {
        gpus = List.copyOf(gpus);
    }

    @Override
    public String backend() {
        return TensorRtBackend.NAME;
    }

    /** One a GPU: a lane keeps two batches in flight by itself. */
    @Override
    public int defaultLanes() {
        return Math.max(1, gpus.size());
    }

    @Override
    public FileBackendFactory withModel(String other) {
        return new TensorRtBackendFactory(
                other, layout, border, size, maxBatch, engineBatch, precision, gpus, engineCache);
    }

    @Override
    public FileBackendFactory onGpus(List<Integer> devices) {
        return gpus.isEmpty()
                ? new TensorRtBackendFactory(
                        model,
                        layout,
                        border,
                        size,
                        maxBatch,
                        engineBatch,
                        precision,
                        devices,
                        engineCache)
                : this;
    }

    @Override
    public List<InferenceBackend> open(int lanes) {
        TensorRtEngines engines =
                new TensorRtEngines(
                        ModelFile.read(Path.of(model)),
                        ModelOptions.of(layout, border, size),
                        precision,
                        engineBatch,
                        engineCache);
        return List.copyOf(
                engines.open(gpus.isEmpty() ? List.of(0) : gpus, lanes, maxBatch, LOG::info));
    }

    @Override
    public long estimatedProcessBytes() {
        return LIBRARY_BYTES;
    }

    @Override
    public long estimatedLaneBytes() {
        try {
            return Files.size(Path.of(model));
        } catch (IOException e) {
            // Opening it will say so in full.
            return 0;
        }
    }
}
