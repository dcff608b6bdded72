// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import io.sightline.inference.InputSize;
import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.NanoClock;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.Consumer;

/** Engines of one model, for the GPUs of this machine. */
public final class TensorRtEngines {

    private final ModelFile model;
    private final ModelOptions options;
    private final Precision precision;
    private final BatchProfiles profiles;
    private final EngineCache cache;

    /**
     * An engine that is there.
     *
     * @param file the engine
     * @param gpu what it is for, such as GPU 0 (Tesla T4, sm_75)
     * @param precision in which it computes
     * @param profiles batch sizes it is tuned for, such as 1,2-8,9-32
     * @param built whether it was built just now
     * @param buildSeconds how long its build took, now or then
     * @param int8 null but for int8 engines
     */
    public record Built(
            Path file,
            String gpu,
            Precision precision,
            String profiles,
            boolean built,
            double buildSeconds,
            Int8Report int8) {}

    /**
     * @param precision null for what suits the model: int8 where it is quantised, else fp16
     * @param maxBatch largest batch, where the graph leaves it open
     * @param cache folder of engines; null for the user's own, .cache/sightline/engines
     * @throws InferenceException if the model is not one for TensorRT, or not for that precision
     * @throws IllegalArgumentException if {@code maxBatch} is less than 1
     */
    public TensorRtEngines(
            ModelFile model,
            ModelOptions options,
            Precision precision,
            int maxBatch,
            String cache) {
        this.model = model;
        this.options = options;
        this.precision = Precision.of(model, precision);
        this.profiles = BatchProfiles.upTo(maxBatch);
        this.cache = new EngineCache(cache == null ? usersOwn() : Path.of(cache));
    }

    /**
     * For tools that would find out late.
     *
     * @param gpu index as the CUDA driver counts
     * @throws InferenceException if that GPU cannot be used: one line that says what is missing and
     *     what to do
     */
    public static void requireGpu(int gpu) {
        GpuProbe.ofThisMachine().require(gpu);
    }

    /**
     * What a measurement is to name.
     *
     * @param gpu index as the CUDA driver counts
     * @return the GPU, and the versions of TensorRT, the CUDA runtime, and CUDA that the driver is
     *     for
     * @throws InferenceException if that GPU cannot be used
     */
    public static String describe(int gpu) {
        GpuDevice device = GpuProbe.ofThisMachine().require(gpu);
        GpuCalls calls = new NativeGpuCalls();
        return "%s, TensorRT %s, CUDA %s, driver for CUDA %s"
                .formatted(
                        device,
                        device.tensorRt(),
                        GpuProbe.version(calls.runtimeVersion()),
                        GpuProbe.version(calls.driverVersion()));
    }

    private static Path usersOwn() {
        return Path.of(System.getProperty("user.home"), ".cache", "sightline", "engines");
    }

    /**
     * Sees to it that the engine for a GPU is there.
     *
     * @param gpu index as the CUDA driver counts
     * @param rebuild whether to build it even if it is there
     * @param progress told now and then, in a line, that the build goes on
     * @throws InferenceException if there is no such GPU, TensorRT refuses the model, or what lies
     *     in the cache is not what it says
     */
    public Built build(int gpu, boolean rebuild, Consumer<String> progress) {
        GpuDevice device = GpuProbe.ofThisMachine().require(gpu);
        EngineCache.Entry entry = entry(device, rebuild, progress);
        return new Built(
                entry.file(),
                device.toString(),
                precision,
                profiles.toString(),
                entry.built(),
                entry.record().buildSeconds(),
                entry.record().int8());
    }

    /**
     * Opens lanes, the first on the first GPU, and so on in turn. Engines that are not there are
     * built.
     *
     * @param batch slots of a buffer where the graph leaves its batch open: an engine for larger
     *     batches runs smaller ones with the same profiles as one that is built for those
     */
    List<TensorRtBackend> open(
            List<Integer> gpus, int lanes, int batch, Consumer<String> progress) {
        GpuProbe probe = GpuProbe.ofThisMachine();
        List<GpuDevice> devices = gpus.stream().map(probe::require).toList();
        List<TensorRtEngine> engines = new ArrayList<>();
        List<TensorRtBackend> backends = new ArrayList<>();
        try {
            for (GpuDevice device : devices.subList(0, Math.min(lanes, devices.size()))) {
                engines.add(new TensorRtEngine(entry(device, false, progress).file(), device));
            }
            for (int lane = 0; lane < lanes; lane++) {
                backends.add(
                        TensorRtBackend.open(
                                engines.get(lane % engines.size()).hold(),
                                model,
                                options,
                                precision,
                                profiles,
                                Math.min(batch, profiles.maxBatch())));
            }
            return backends;
        } catch (RuntimeException | Error e) {
            backends.forEach(TensorRtBackend::close);
            throw e;
        } finally {
            // The lanes hold them now.
            engines.forEach(TensorRtEngine::close);
        }
    }

    /**
     * What an engine gives at best: full batches back to back on what lies on the GPU already.
     *
     * @return images a second; empty for a backend that is not TensorRT's
     */
    public static OptionalDouble framesPerSecondAlone(InferenceBackend backend, Duration duration) {
        return backend instanceof TensorRtBackend lane
                ? OptionalDouble.of(lane.framesPerSecondAlone(duration))
                : OptionalDouble.empty();
    }

    private EngineCache.Entry entry(GpuDevice device, boolean rebuild, Consumer<String> progress) {
        EngineKey key = key(device);
        EngineCache.Request request =
                new EngineCache.Request(
                        key, model.path(), model.name(), device.name(), rebuildCommand(device));
        String what = "%s for %s, %s".formatted(model.name(), device.sm(), precision.label());
        return cache.get(
                request,
                rebuild,
                file ->
                        new EngineBuilder(
                                        model,
                                        options,
                                        device,
                                        precision,
                                        profiles,
                                        timings(device))
                                .into(file, new BuildProgress(what, NanoClock.SYSTEM, progress)));
    }

    EngineKey key(GpuDevice device) {
        return new EngineKey(
                model.sha256(),
                device.sm(),
                device.tensorRt(),
                precision.label(),
                profiles.toString(),
                options.size().or(model::inputSize).map(InputSize::toString).orElse(""),
                WeakTyping.NAME);
    }

    private Path timings(GpuDevice device) {
        return cache.folder()
                .resolve(
                        "timings-%s-%s-%s"
                                .formatted(
                                        device.sm().replace("_", ""),
                                        device.name().replaceAll("[^A-Za-z0-9]+", "-"),
                                        device.tensorRt()));
    }

    String rebuildCommand(GpuDevice device) {
        return "./sightline model build --onnx %s --max-batch %d --precision %s --gpu-device %d --engine-cache %s%s --rebuild"
                .formatted(
                        model.path(),
                        profiles.maxBatch(),
                        precision.label(),
                        device.index(),
                        cache.folder(),
                        options.size().map(size -> " --input-size " + size).orElse(""));
    }
}
