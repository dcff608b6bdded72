// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.onnxruntime;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.TensorInfo;
import io.sightline.inference.BatchBuffer;
import io.sightline.inference.BatchSlots;
import io.sightline.inference.GraphTensor;
import io.sightline.inference.GraphTensor.ElementType;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import io.sightline.inference.InputSize;
import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.OutputLayout;
import io.sightline.inference.RawOutput;
import io.sightline.inference.RgbPlanes;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a network on the CPU with ONNX Runtime. Owns its session; a lane opens its own, because
 * several single-threaded sessions side by side give more frames a second than one with many
 * threads.
 *
 * <p>{@link #submit} does the whole run and {@link #await} only hands the output over. Input that
 * is taken as bytes is read where it was written, and outputs whose size the graph tells are
 * written where they are read: such a run copies no pixel and no prediction. Input that is taken as
 * floats is converted first, into memory of this backend.
 */
public final class OnnxRuntimeBackend implements InferenceBackend {

    private static final Logger LOG = LoggerFactory.getLogger(OnnxRuntimeBackend.class);

    /** Read once: a processor does not change. */
    private static final CpuFeatures CPU = CpuFeatures.ofThisMachine();

    /** As a ModelSpec file and an event's {@code model.backend} name it. */
    public static final String NAME = "onnxruntime";

    private final OrtEnvironment environment;
    private final OrtSession session;
    private final ModelFile model;
    private final ModelSpec spec;
    private final String inputName;
    private final List<OutputPort> ports;

    /** Names of the outputs whose size is known only after a run. */
    private final Set<String> unsized = new HashSet<>();

    /** Null where the network takes bytes. */
    private final BatchTensors floats;

    private final FloatBuffer planes;
    private final RgbPlanes converter = new RgbPlanes();
    private final AtomicBoolean closed = new AtomicBoolean();

    /** As {@link #open(ModelFile, ModelOptions, int, int)}, for one lane. */
    public static OnnxRuntimeBackend open(
            Path model, ModelOptions options, int maxBatch, int intraOpThreads) {
        return open(ModelFile.read(model), options, maxBatch, intraOpThreads);
    }

    /**
     * Opens a session and runs it once with a full and once with the smallest batch, so that a
     * network that cannot do either fails here and the first frame does not wait for memory and
     * kernels to be prepared.
     *
     * @param model may be shared by any number of lanes
     * @param maxBatch slots of a buffer where the graph leaves its batch open; else the graph's own
     * @param intraOpThreads threads of one run, the calling one among them; 1 where lanes run side
     *     by side
     * @throws InferenceException if ONNX Runtime's libraries cannot be loaded, if it refuses the
     *     model, or if the model is none that Sightline can feed or read
     */
    public static OnnxRuntimeBackend open(
            ModelFile model, ModelOptions options, int maxBatch, int intraOpThreads) {
        return open(model, options, maxBatch, SessionSettings.serving(intraOpThreads));
    }

    /**
     * As {@link #open(ModelFile, ModelOptions, int, int)}. Without optimisation a file for another
     * engine is run too: as ONNX defines it, to see what it gives.
     */
    public static OnnxRuntimeBackend open(
            ModelFile model, ModelOptions options, int maxBatch, SessionSettings settings) {
        if (maxBatch < 1 || settings.threads() < 1) {
            throw new IllegalArgumentException(
                    "maxBatch=%d threads=%d: expected 1 or more"
                            .formatted(maxBatch, settings.threads()));
        }
        if (settings.optimise()) {
            requireOwnTarget(model);
        }
        OrtSession session = null;
        OnnxRuntimeBackend backend = null;
        boolean opened = false;
        try {
            OrtEnvironment environment = OrtEnvironment.getEnvironment();
            try (SessionOptions sessionOptions = settings.toOptions()) {
                Optional<InputSize> size = options.size().or(model::inputSize);
                if (size.isPresent()) {
                    // What is computed from an open size becomes constant; a graph without
                    // dimensions of these names does not mind.
                    sessionOptions.setSymbolicDimensionValue("height", size.get().height());
                    sessionOptions.setSymbolicDimensionValue("width", size.get().width());
                }
                session = environment.createSession(model.path().toString(), sessionOptions);
            }
            List<GraphTensor> inputs = tensors(session.getInputInfo().values());
            List<GraphTensor> outputs = tensors(session.getOutputInfo().values());
            ModelSpec spec = model.spec(inputs, outputs, options, maxBatch);
            backend =
                    new OnnxRuntimeBackend(
                            environment,
                            session,
                            model,
                            spec,
                            inputs.get(0).name(),
                            ports(model, spec, outputs));
            backend.warmUp();
            if (settings.optimise()) {
                warnOfSaturation(model, spec, CPU);
            }
            LOG.debug(
                    "model {}: {}x{} {} {}, batch {} {}, {} MiB a buffer, ONNX Runtime {}",
                    spec.name(),
                    spec.inputWidth(),
                    spec.inputHeight(),
                    spec.layout().label(),
                    spec.precision(),
                    spec.dynamicBatch() ? "up to" : "fixed at",
                    spec.maxBatch(),
                    (backend.bufferBytes() + (1 << 20) - 1) >> 20,
                    environment.getVersion());
            opened = true;
            return backend;
        } catch (OrtException e) {
            throw new InferenceException(
                    "model %s: ONNX Runtime refuses it: %s".formatted(model.path(), oneLine(e)), e);
        } catch (LinkageError e) {
            throw new InferenceException(
                    "ONNX Runtime's libraries cannot be loaded (%s): its jar must hold those of this system (%s, %s) and be on the class path once; in a Flink cluster in lib/, not in the job's jar"
                            .formatted(
                                    oneLine(e),
                                    System.getProperty("os.name"),
                                    System.getProperty("os.arch")),
                    e);
        } finally {
            if (!opened) {
                if (backend != null) {
                    backend.close();
                } else if (session != null) {
                    closeSession(session, model);
                }
            }
        }
    }

    private static void requireOwnTarget(ModelFile model) {
        if (!model.target().orElse(NAME).equals(NAME)) {
            throw new InferenceException(
                    "model %s: is quantised for %s, which ONNX Runtime would run slower than float: use the file that was written for %s beside it, or the float model"
                            .formatted(model.path(), model.target().get(), NAME));
        }
    }

    private static void warnOfSaturation(ModelFile model, ModelSpec spec, CpuFeatures cpu) {
        if (spec.precision().equals("int8")
                && cpu.lacksVnni()
                && model.weightBits().orElse(8) > 7) {
            LOG.warn(
                    "model {}: its weights have 8 bits, and this CPU ({}) sums INT8 products in 16"
                            + " bits, which overflow: detections may be wrong; quantise it with"
                            + " --target avx2, or use a CPU with VNNI",
                    model.path(),
                    cpu.model());
        }
    }

    private OnnxRuntimeBackend(
            OrtEnvironment environment,
            OrtSession session,
            ModelFile model,
            ModelSpec spec,
            String inputName,
            List<OutputPort> ports)
            throws OrtException {
        this.environment = environment;
        this.session = session;
        this.model = model;
        this.spec = spec;
        this.inputName = inputName;
        this.ports = ports;
        for (OutputPort port : ports) {
            if (port.rowShape() == null) {
                unsized.add(port.name());
            }
        }
        if (spec.inputFormat() == InputFormat.FLOAT_NCHW_RGB) {
            requireAddressable(4L * spec.slotBytes());
            floats =
                    new BatchTensors(
                            environment,
                            OnnxJavaType.FLOAT,
                            new long[] {spec.maxBatch(), 3, spec.inputHeight(), spec.inputWidth()},
                            spec.dynamicBatch());
            planes = floats.memory().asFloatBuffer();
        } else {
            floats = null;
            planes = null;
        }
    }

    private static List<GraphTensor> tensors(Collection<NodeInfo> nodes) {
        List<GraphTensor> tensors = new ArrayList<>();
        for (NodeInfo node : nodes) {
            if (node.getInfo() instanceof TensorInfo info) {
                int[] shape =
                        Arrays.stream(info.getShape())
                                .mapToInt(d -> d < 0 ? GraphTensor.DYNAMIC : Math.toIntExact(d))
                                .toArray();
                tensors.add(new GraphTensor(node.getName(), elementType(info.type), shape));
            } else {
                tensors.add(new GraphTensor(node.getName(), ElementType.OTHER, new int[0]));
            }
        }
        return tensors;
    }

    private static ElementType elementType(OnnxJavaType type) {
        return switch (type) {
            case FLOAT -> ElementType.FLOAT32;
            case FLOAT16 -> ElementType.FLOAT16;
            case UINT8 -> ElementType.UINT8;
            case INT32 -> ElementType.INT32;
            case INT64 -> ElementType.INT64;
            default -> ElementType.OTHER;
        };
    }

    private static List<OutputPort> ports(
            ModelFile model, ModelSpec spec, List<GraphTensor> outputs) {
        List<OutputPort> ports = new ArrayList<>();
        for (GraphTensor output :
                spec.layout() == OutputLayout.END2END ? outputs : outputs.subList(0, 1)) {
            OnnxJavaType type =
                    switch (output.type()) {
                        case FLOAT32 -> OnnxJavaType.FLOAT;
                        case INT32 -> OnnxJavaType.INT32;
                        case INT64 -> OnnxJavaType.INT64;
                        default ->
                                throw new InferenceException(
                                        "model %s: output %s: expected float32, int32 or int64: export it with float32 outputs"
                                                .formatted(model.path(), output));
                    };
            long[] shape = Arrays.stream(output.shape()).asLongStream().toArray();
            boolean sized =
                    Arrays.stream(shape).skip(1).allMatch(d -> d > 0)
                            // Anything else is either wrong or known only after a run.
                            && shape[0]
                                    == (spec.dynamicBatch()
                                            ? GraphTensor.DYNAMIC
                                            : spec.maxBatch());
            ports.add(
                    new OutputPort(
                            output.name(),
                            type,
                            sized ? Arrays.copyOfRange(shape, 1, shape.length) : null));
        }
        return List.copyOf(ports);
    }

    private void warmUp() {
        try (BatchBuffer buffer = newBuffer()) {
            submit(buffer, spec.maxBatch());
            if (spec.dynamicBatch() && spec.maxBatch() > 1) {
                submit(buffer, 1);
            }
        }
    }

    @Override
    public ModelSpec spec() {
        return spec;
    }

    /** Memory outside the heap that one buffer takes, without outputs of unknown size. */
    @Override
    public long bufferBytes() {
        long row = spec.slotBytes();
        for (OutputPort port : ports) {
            row += port.rowBytes();
        }
        return row * spec.maxBatch();
    }

    @Override
    public BatchBuffer newBuffer() {
        requireOpen();
        requireAddressable(spec.slotBytes());
        for (OutputPort port : ports) {
            requireAddressable(port.rowBytes());
        }
        try {
            return new OnnxBatchBuffer(environment, spec, inputName, ports);
        } catch (OrtException e) {
            throw new InferenceException(
                    "model %s: no buffer of %d slots: %s"
                            .formatted(model.path(), spec.maxBatch(), oneLine(e)),
                    e);
        }
    }

    /** A Java buffer ends at 2 GiB. */
    private void requireAddressable(long rowBytes) {
        if (rowBytes * spec.maxBatch() > Integer.MAX_VALUE - 1024) {
            throw new InferenceException(
                    "model %s: %d frames of %d bytes exceed one buffer of 2 GiB: lower the largest batch"
                            .formatted(model.path(), spec.maxBatch(), rowBytes));
        }
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException if {@code filled} is no number of slots that the buffer has,
     *     or the buffer is of another network
     * @throws IllegalStateException if this backend or the buffer is closed
     */
    @Override
    public void submit(BatchBuffer batch, int filled) {
        requireOpen();
        OnnxBatchBuffer buffer = own(batch);
        buffer.slots().requireFilled(filled);
        buffer.forgetOutput();
        int rows = buffer.rows(filled);
        Map<String, OnnxTensor> inputs =
                floats == null ? buffer.byteInputs(rows) : floatInputs(buffer, filled, rows);
        try (OrtSession.Result result = session.run(inputs, unsized, buffer.pinnedOutputs(rows))) {
            buffer.publish(rows, result);
        } catch (OrtException e) {
            throw new InferenceException(
                    "model %s: a run of %d frames failed: %s"
                            .formatted(model.path(), filled, oneLine(e)),
                    e);
        }
    }

    private Map<String, OnnxTensor> floatInputs(OnnxBatchBuffer buffer, int filled, int rows) {
        for (int i = 0; i < filled; i++) {
            converter.convert(buffer.slot(i), planes, i * spec.slotBytes());
        }
        return Map.of(inputName, floats.ofSize(rows));
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if the buffer's last run failed or it had none, or if this
     *     backend or the buffer is closed
     */
    @Override
    public RawOutput await(BatchBuffer batch) {
        requireOpen();
        return own(batch).output();
    }

    private OnnxBatchBuffer own(BatchBuffer batch) {
        if (batch instanceof OnnxBatchBuffer buffer) {
            buffer.slots().requireFor(model.path(), spec);
            return buffer;
        }
        throw BatchSlots.foreign(batch, model.path(), spec);
    }

    private void requireOpen() {
        if (closed.get()) {
            throw new IllegalStateException("backend of model " + model.path() + " is closed");
        }
    }

    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        if (floats != null) {
            floats.close();
        }
        closeSession(session, model);
    }

    private static void closeSession(OrtSession session, ModelFile model) {
        try {
            session.close();
        } catch (OrtException e) {
            LOG.warn("model {}: closing its session failed: {}", model.path(), oneLine(e));
        }
    }

    private static String oneLine(Throwable e) {
        return String.valueOf(e.getMessage()).replaceAll("\\s+", " ").strip();
    }
}
