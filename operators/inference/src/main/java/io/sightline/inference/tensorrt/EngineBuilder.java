// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import io.sightline.inference.GraphTensor;
import io.sightline.inference.InferenceException;
import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.tensorrt.global.nvinfer;
import org.bytedeco.tensorrt.global.nvinfer.OptProfileSelector;
import org.bytedeco.tensorrt.global.nvinfer.ProfilingVerbosity;
import org.bytedeco.tensorrt.global.nvonnxparser;
import org.bytedeco.tensorrt.nvinfer.Dims64;
import org.bytedeco.tensorrt.nvinfer.IBuilder;
import org.bytedeco.tensorrt.nvinfer.IBuilderConfig;
import org.bytedeco.tensorrt.nvinfer.IExecutionContext;
import org.bytedeco.tensorrt.nvinfer.IHostMemory;
import org.bytedeco.tensorrt.nvinfer.ILogger.Severity;
import org.bytedeco.tensorrt.nvinfer.INetworkDefinition;
import org.bytedeco.tensorrt.nvinfer.IOptimizationProfile;
import org.bytedeco.tensorrt.nvinfer.ITensor;
import org.bytedeco.tensorrt.nvinfer.ITimingCache;
import org.bytedeco.tensorrt.nvonnxparser.IParser;
import org.bytedeco.tensorrt.nvonnxparser.IParserError;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Builds an engine from an ONNX file: parses, sets precision and batch profiles, lets TensorRT time
 * its kernels on the GPU at hand, and looks at what it chose. What was timed is kept in a file, so
 * that the next build with the same layers is quicker and chooses the same.
 *
 * <p>The parser itself cannot be deleted through JavaCPP's bindings: every build leaves its copy of
 * the graph behind, about as large as the ONNX file.
 */
final class EngineBuilder {

    private static final Logger LOG = LoggerFactory.getLogger(EngineBuilder.class);

    private final ModelFile model;
    private final ModelOptions options;
    private final GpuDevice gpu;
    private final Precision precision;
    private final BatchProfiles profiles;
    private final Path timings;

    /**
     * @param timings file of kernel timings, read where it is there and written
     */
    EngineBuilder(
            ModelFile model,
            ModelOptions options,
            GpuDevice gpu,
            Precision precision,
            BatchProfiles profiles,
            Path timings) {
        this.model = model;
        this.options = options;
        this.gpu = gpu;
        this.precision = precision;
        this.profiles = profiles;
        this.timings = timings;
    }

    /**
     * @param progress told of signs of life
     * @return which quantised convolutions are computed in int8; null but for int8
     * @throws InferenceException if TensorRT refuses the model or fails
     */
    Int8Report into(Path plan, BuildProgress progress) throws IOException {
        Cuda.use(gpu.index());
        try (AutoCloseable listening = EngineLog.listen(progress::heard)) {
            build(plan);
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError("no other exception is declared by what is called", e);
        }
        return precision == Precision.INT8 ? inspect(plan) : null;
    }

    private void build(Path plan) throws IOException {
        try (Handles handles = new Handles()) {
            IBuilder builder =
                    handles.own(
                                    Owned.of(
                                            nvinfer.createInferBuilder(EngineLog.instance()),
                                            IBuilder::new,
                                            "createInferBuilder"))
                            .get();
            INetworkDefinition network =
                    handles.own(
                                    Owned.of(
                                            builder.createNetworkV2(WeakTyping.NETWORK_FLAGS),
                                            INetworkDefinition::new,
                                            "createNetworkV2"))
                            .get();
            parse(network);
            IBuilderConfig config =
                    handles.own(
                                    Owned.of(
                                            builder.createBuilderConfig(),
                                            IBuilderConfig::new,
                                            "createBuilderConfig"))
                            .get();
            WeakTyping.apply(config, precision);
            config.setProfilingVerbosity(ProfilingVerbosity.kDETAILED);
            addProfiles(builder, network, config);
            handles.own(readTimings(config));
            try (Owned<IHostMemory> serialised =
                    Owned.of(
                            builder.buildSerializedNetwork(network, config),
                            IHostMemory::new,
                            "build of model " + model.path() + " on " + gpu)) {
                write(serialised.get(), plan);
            }
            writeTimings(config);
        }
    }

    private void parse(INetworkDefinition network) {
        IParser parser = nvonnxparser.createParser(network, EngineLog.instance());
        if (parser == null || parser.isNull()) {
            throw EngineLog.failed("createParser");
        }
        if (parser.parseFromFile(model.path().toString(), Severity.kWARNING.value)) {
            return;
        }
        List<ParserProblem> problems = new ArrayList<>();
        for (int i = 0; i < parser.getNbErrors(); i++) {
            IParserError error = parser.getError(i);
            problems.add(
                    new ParserProblem(
                            text(error.nodeOperator()),
                            text(error.nodeName()),
                            text(error.desc())));
        }
        throw new InferenceException(
                "model %s: TensorRT's parser refuses it: %s: see ./sightline model check"
                        .formatted(model.path(), ParserProblem.describe(problems)));
    }

    private static String text(String orNull) {
        return orNull == null ? "" : orNull;
    }

    /** For a batch that the graph leaves open; a fixed one needs no profile. */
    private void addProfiles(IBuilder builder, INetworkDefinition network, IBuilderConfig config) {
        ModelSpec spec =
                model.spec(inputs(network), outputs(network), options, profiles.maxBatch());
        ITensor input = network.getInput(0);
        int[] shape = shape(input);
        boolean open = false;
        for (int dimension : shape) {
            open |= dimension == GraphTensor.DYNAMIC;
        }
        if (!open) {
            return;
        }
        for (BatchProfiles.Range range :
                spec.dynamicBatch()
                        ? profiles.ranges()
                        : List.of(new BatchProfiles.Range(spec.maxBatch(), spec.maxBatch()))) {
            IOptimizationProfile profile = builder.createOptimizationProfile();
            if (profile == null || profile.isNull()) {
                throw EngineLog.failed("createOptimizationProfile");
            }
            set(profile, input, OptProfileSelector.kMIN, spec, range.min());
            set(profile, input, OptProfileSelector.kOPT, spec, range.max());
            set(profile, input, OptProfileSelector.kMAX, spec, range.max());
            if (config.addOptimizationProfile(profile) < 0) {
                throw EngineLog.failed("addOptimizationProfile(" + range + ")");
            }
        }
    }

    private static void set(
            IOptimizationProfile profile,
            ITensor input,
            OptProfileSelector selector,
            ModelSpec spec,
            int batch) {
        try (Dims64 dims = InputDims.of(spec, batch)) {
            EngineLog.require(
                    profile.setDimensions(input.getName(), selector, dims),
                    "setDimensions of batch " + batch);
        }
    }

    private static List<GraphTensor> inputs(INetworkDefinition network) {
        List<GraphTensor> inputs = new ArrayList<>();
        for (int i = 0; i < network.getNbInputs(); i++) {
            inputs.add(tensor(network.getInput(i)));
        }
        return inputs;
    }

    private static List<GraphTensor> outputs(INetworkDefinition network) {
        List<GraphTensor> outputs = new ArrayList<>();
        for (int i = 0; i < network.getNbOutputs(); i++) {
            outputs.add(tensor(network.getOutput(i)));
        }
        return outputs;
    }

    private static GraphTensor tensor(ITensor tensor) {
        return new GraphTensor(
                tensor.getName(), TensorRtEngine.elementType(tensor.getType()), shape(tensor));
    }

    private static int[] shape(ITensor tensor) {
        try (Dims64 dims = tensor.getDimensions()) {
            return TensorRtEngine.dimensions(dims);
        }
    }

    private Owned<ITimingCache> readTimings(IBuilderConfig config) throws IOException {
        if (Files.exists(timings)) {
            try {
                return newTimings(config, Files.readAllBytes(timings));
            } catch (InferenceException e) {
                LOG.warn("{} is of no use here, so kernels are timed anew: {}", timings, e);
            }
        }
        return newTimings(config, new byte[0]);
    }

    private static Owned<ITimingCache> newTimings(IBuilderConfig config, byte[] known) {
        try (BytePointer blob = known.length == 0 ? null : new BytePointer(known)) {
            Owned<ITimingCache> cache =
                    Owned.of(
                            config.createTimingCache(blob, known.length),
                            ITimingCache::new,
                            "createTimingCache");
            if (!config.setTimingCache(cache.get(), false)) {
                cache.close();
                throw EngineLog.failed("setTimingCache");
            }
            return cache;
        }
    }

    /** Who cannot write them has an engine all the same. */
    private void writeTimings(IBuilderConfig config) {
        Path part = null;
        try (Owned<IHostMemory> serialised =
                Owned.of(
                        config.getTimingCache().serialize(),
                        IHostMemory::new,
                        "serialize of the timing cache")) {
            // Of its own name: builds of other models end at the same time.
            part = Files.createTempFile(timings.toAbsolutePath().getParent(), "timings", ".part");
            write(serialised.get(), part);
            Files.move(
                    part,
                    timings,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            LOG.warn("{}: kernel timings were not kept: {}", timings, e.toString());
            if (part != null) {
                part.toFile().delete();
            }
        }
    }

    private static void write(IHostMemory memory, Path file) throws IOException {
        ByteBuffer bytes = new BytePointer(memory.data()).capacity(memory.size()).asByteBuffer();
        try (FileChannel out =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.TRUNCATE_EXISTING)) {
            while (bytes.hasRemaining()) {
                out.write(bytes);
            }
        }
    }

    private Int8Report inspect(Path plan) {
        try (TensorRtEngine engine = new TensorRtEngine(plan, gpu);
                GpuStream stream = new GpuStream()) {
            List<String> layers = new ArrayList<>();
            for (int profile = 0; profile < engine.profiles(); profile++) {
                layers.add(inspect(engine, profile, stream));
            }
            Int8Report report = EngineInspection.of(layers).int8(model.quantisedConvolutions());
            report.exceptions().forEach(exception -> LOG.warn("not in int8: {}", exception));
            return report;
        }
    }

    private String inspect(TensorRtEngine engine, int profile, GpuStream stream) {
        ModelSpec spec =
                model.spec(engine.inputs(), engine.outputs(), options, profiles.maxBatch());
        int batch = spec.dynamicBatch() ? profiles.ranges().get(profile).max() : spec.maxBatch();
        try (Owned<IExecutionContext> context = engine.newContext(profile, stream);
                Dims64 dims = InputDims.of(spec, batch)) {
            String input = engine.inputs().get(0).name();
            EngineLog.require(
                    context.get().setInputShape(input, dims), "setInputShape of batch " + batch);
            return engine.inspect(context.get());
        }
    }
}
