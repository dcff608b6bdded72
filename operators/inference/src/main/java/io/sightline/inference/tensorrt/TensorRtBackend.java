// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import io.sightline.inference.BatchBuffer;
import io.sightline.inference.BatchSlots;
import io.sightline.inference.GpuUsage;
import io.sightline.inference.GraphTensor;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.OutputLayout;
import io.sightline.inference.RawOutput;
import io.sightline.inference.RgbPlanes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.bytedeco.tensorrt.nvinfer.Dims64;
import org.bytedeco.tensorrt.nvinfer.IExecutionContext;

/**
 * A lane on an NVIDIA GPU.
 *
 * <pre>
 *   upload   ── batch 2 ─────────── batch 3 ───────────
 *   compute  ────── run 1 ─────────────── run 2 ────────────── run 3 ───
 *   download ─────────── results 1 ───────────── results 2 ───
 *   thread   ────────────────── read 1 ────────────────── read 2 ───
 * </pre>
 *
 * Three streams, because within one a copy would wait for the run before it, and the next run for
 * the copy; two batches in flight, because the next must be on the GPU when the last is done. Each
 * batch size runs with the profile that was tuned for it. All memory is allocated here, once; a run
 * allocates nothing.
 */
final class TensorRtBackend implements InferenceBackend {

    /** As a ModelSpec file and an event's {@code model.backend} name it. */
    static final String NAME = "tensorrt";

    private static final int IN_FLIGHT = 2;

    /** Runs between two looks at the clock: enough that the look costs nothing. */
    private static final int BACK_TO_BACK = 16;

    private final ModelFile model;
    private final ModelSpec spec;
    private final BatchProfiles profiles;
    private final TensorRtEngine engine;
    private final Handles handles = new Handles();
    private final GpuStream upload;
    private final GpuStream compute;
    private final GpuStream download;
    private final TensorPort inputPort;

    /** Those that are read. */
    private final List<TensorPort> outputPorts;

    private final RgbPlanes converter = new RgbPlanes();
    private final DeviceBatch[] ring = new DeviceBatch[IN_FLIGHT];
    private final GpuMonitor monitor;
    private int nextInRing;

    /** One for each profile; all compute in the same memory, one after the other. */
    private final List<IExecutionContext> contexts = new ArrayList<>();

    /** By profile: for how many rows its context is set. */
    private final int[] shapedRows;

    private final Dims64 inputDims;

    private final LongAdder copyNanos = new LongAdder();
    private final LongAdder queueNanos = new LongAdder();
    private final LongAdder computeNanos = new LongAdder();
    private final AtomicBoolean closed = new AtomicBoolean();

    /**
     * Opens a lane and runs it once with every profile, so that what cannot run fails here.
     *
     * @param engine a holding of which becomes this lane's, also if this fails
     * @param profiles the engine's
     * @param maxBatch slots of a buffer where the graph leaves its batch open: no more than the
     *     engine takes
     * @throws InferenceException if the model is none that Sightline can feed or read, or if the
     *     GPU has not memory enough
     */
    static TensorRtBackend open(
            TensorRtEngine engine,
            ModelFile model,
            ModelOptions options,
            Precision precision,
            BatchProfiles profiles,
            int maxBatch) {
        TensorRtBackend backend;
        try {
            ModelSpec spec =
                    model.spec(engine.inputs(), engine.outputs(), options, maxBatch)
                            .withPrecision(precision.label());
            backend = new TensorRtBackend(engine, model, spec, profiles);
        } catch (RuntimeException | Error e) {
            engine.close();
            throw e;
        }
        try {
            backend.warmUp();
            return backend;
        } catch (RuntimeException | Error e) {
            backend.close();
            throw e;
        }
    }

    private TensorRtBackend(
            TensorRtEngine engine, ModelFile model, ModelSpec spec, BatchProfiles profiles) {
        this.engine = engine;
        this.model = model;
        this.spec = spec;
        // A fixed batch needs no profile, and every engine has one.
        this.profiles =
                spec.dynamicBatch()
                        ? profiles
                        : new BatchProfiles(
                                List.of(new BatchProfiles.Range(spec.maxBatch(), spec.maxBatch())));
        if (engine.profiles() != this.profiles.ranges().size()) {
            throw new InferenceException(
                    "model %s: its engine has %d profiles, expected %d for batches of %s: build it anew with ./sightline model build --rebuild"
                            .formatted(
                                    model.path(),
                                    engine.profiles(),
                                    this.profiles.ranges().size(),
                                    this.profiles));
        }
        shapedRows = new int[engine.profiles()];
        Cuda.use(engine.gpu().index());
        boolean opened = false;
        try {
            upload = handles.own(new GpuStream());
            compute = handles.own(new GpuStream());
            download = handles.own(new GpuStream());
            inputDims = handles.own(InputDims.of(spec, spec.maxBatch()));
            GraphTensor input = engine.inputs().get(0);
            inputPort = new TensorPort(input.name(), input.type(), inputRow(inputDims));
            DeviceMemory scratch = handles.own(new DeviceMemory(engine.scratchBytes()));
            for (int profile = 0; profile < shapedRows.length; profile++) {
                contexts.add(newContext(profile, scratch));
            }
            int read = spec.layout() == OutputLayout.END2END ? engine.outputs().size() : 1;
            List<TensorPort> ports = outputPorts();
            outputPorts = ports.subList(0, read);
            sink(ports.subList(read, ports.size()));
            for (int i = 0; i < IN_FLIGHT; i++) {
                ring[i] =
                        handles.own(
                                new DeviceBatch(
                                        inputPort,
                                        outputPorts,
                                        spec.inputFormat() == InputFormat.FLOAT_NCHW_RGB,
                                        spec.maxBatch()));
            }
            monitor = handles.own(new GpuMonitor(engine.gpu().index()));
            handles.own(this::settle);
            opened = true;
        } finally {
            if (!opened) {
                handles.close();
            }
        }
    }

    private static int[] inputRow(Dims64 dims) {
        int[] shape = TensorRtEngine.dimensions(dims);
        return Arrays.copyOfRange(shape, 1, shape.length);
    }

    private IExecutionContext newContext(int profile, DeviceMemory scratch) {
        IExecutionContext context = handles.own(engine.newContext(profile, compute)).get();
        context.setDeviceMemoryV2(scratch.address(), scratch.bytes());
        return context;
    }

    /** Sizes of the outputs at the largest batch, where every dimension is known. */
    private List<TensorPort> outputPorts() {
        int largest = profiles.indexFor(spec.maxBatch());
        IExecutionContext context = shaped(largest, spec.maxBatch());
        List<TensorPort> ports = new ArrayList<>();
        for (GraphTensor output : engine.outputs()) {
            try (Dims64 dims = context.getTensorShape(output.name())) {
                int[] shape = TensorRtEngine.dimensions(dims);
                if (shape.length == 0 || shape[0] != spec.maxBatch()) {
                    throw new InferenceException(
                            "model %s: output '%s' has shape %s for a batch of %d: expected the batch as first dimension: export the model with a dynamic batch"
                                    .formatted(
                                            model.path(),
                                            output.name(),
                                            Arrays.toString(shape),
                                            spec.maxBatch()));
                }
                ports.add(
                        new TensorPort(
                                output.name(),
                                output.type(),
                                Arrays.copyOfRange(shape, 1, shape.length)));
            }
        }
        return List.copyOf(ports);
    }

    /** An engine computes all its outputs: what nobody reads must have a place too. */
    private void sink(List<TensorPort> unread) {
        for (TensorPort port : unread) {
            DeviceMemory place = handles.own(new DeviceMemory(port.rowBytes() * spec.maxBatch()));
            for (IExecutionContext context : contexts) {
                EngineLog.require(
                        context.setTensorAddress(port.name(), place.address()),
                        "setTensorAddress of '" + port.name() + "'");
            }
        }
    }

    private void warmUp() {
        try (BatchBuffer buffer = newBuffer()) {
            for (BatchProfiles.Range range : profiles.ranges()) {
                if (range.min() <= spec.maxBatch()) {
                    submit(buffer, Math.min(range.max(), spec.maxBatch()));
                    await(buffer);
                }
            }
        }
        copyNanos.reset();
        queueNanos.reset();
        computeNanos.reset();
    }

    @Override
    public ModelSpec spec() {
        return spec;
    }

    @Override
    public long bufferBytes() {
        long row = spec.slotBytes();
        for (TensorPort port : outputPorts) {
            row += port.rowBytes();
        }
        return row * spec.maxBatch();
    }

    @Override
    public boolean pinsBuffers() {
        return true;
    }

    @Override
    public int maxInFlight() {
        return IN_FLIGHT;
    }

    @Override
    public BatchBuffer newBuffer() {
        requireOpen();
        Cuda.use(engine.gpu().index());
        return new TensorRtBatchBuffer(engine.gpu().index(), spec, outputPorts);
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException if {@code filled} is no number of slots that the buffer has,
     *     or the buffer is of another network
     * @throws IllegalStateException if this backend or the buffer is closed, or as many batches as
     *     may be are in flight
     */
    @Override
    public void submit(BatchBuffer batch, int filled) {
        requireOpen();
        TensorRtBatchBuffer buffer = own(batch);
        buffer.slots().requireFilled(filled);
        buffer.requireIdle();
        DeviceBatch run = ring[nextInRing];
        if (run.inFlight) {
            throw new IllegalStateException(
                    IN_FLIGHT + " batches are in flight: await the first of them");
        }
        Cuda.use(engine.gpu().index());
        int rows = spec.dynamicBatch() ? filled : spec.maxBatch();
        PinnedMemory pixels = run.hostInput(buffer, filled, converter);
        run.uploadStarted.record(upload);
        upload.toDevice(run.input(), pixels, inputPort.rowBytes() * rows);
        run.uploaded.record(upload);
        compute.await(run.uploaded);
        run.computeStarted.record(compute);
        enqueue(run, rows);
        run.computed.record(compute);
        download.await(run.computed);
        run.downloadStarted.record(download);
        for (int i = 0; i < outputPorts.size(); i++) {
            download.toHost(buffer.result(i), run.output(i), outputPorts.get(i).rowBytes() * rows);
        }
        run.done.record(download);
        run.inFlight = true;
        nextInRing = (nextInRing + 1) % IN_FLIGHT;
        buffer.submitted(run, rows);
    }

    private void enqueue(DeviceBatch run, int rows) {
        IExecutionContext context = shaped(profiles.indexFor(rows), rows);
        EngineLog.require(
                context.setTensorAddress(inputPort.name(), run.input().address()),
                "setTensorAddress of '" + inputPort.name() + "'");
        for (int i = 0; i < outputPorts.size(); i++) {
            String name = outputPorts.get(i).name();
            EngineLog.require(
                    context.setTensorAddress(name, run.output(i).address()),
                    "setTensorAddress of '" + name + "'");
        }
        EngineLog.require(context.enqueueV3(compute.handle()), "enqueueV3 of " + rows + " frames");
    }

    private IExecutionContext shaped(int profile, int rows) {
        IExecutionContext context = contexts.get(profile);
        if (shapedRows[profile] != rows) {
            inputDims.d(0, rows);
            EngineLog.require(
                    context.setInputShape(inputPort.name(), inputDims),
                    "setInputShape of batch " + rows);
            shapedRows[profile] = rows;
        }
        return context;
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
        TensorRtBatchBuffer buffer = own(batch);
        DeviceBatch run = buffer.run();
        if (run != null) {
            run.done.await();
            run.inFlight = false;
            copyNanos.add(run.uploaded.nanosSince(run.uploadStarted));
            queueNanos.add(run.computeStarted.nanosSince(run.uploaded));
            computeNanos.add(run.computed.nanosSince(run.computeStarted));
            copyNanos.add(run.done.nanosSince(run.downloadStarted));
            buffer.arrived();
        }
        return buffer.output();
    }

    /**
     * Full batches back to back on what the last runs left on the GPU, images a second. Nothing may
     * be in flight.
     */
    double framesPerSecondAlone(Duration duration) {
        requireOpen();
        Cuda.use(engine.gpu().index());
        int next = 0;
        enqueueMany(ring[next]);
        ring[next].computed.await();
        long start = System.nanoTime();
        long frames = 0;
        enqueueMany(ring[next]);
        while (System.nanoTime() - start < duration.toNanos()) {
            // The next are queued before the last are waited for: the GPU never waits for the host.
            DeviceBatch last = ring[next];
            next = (next + 1) % IN_FLIGHT;
            enqueueMany(ring[next]);
            last.computed.await();
            frames += (long) BACK_TO_BACK * spec.maxBatch();
        }
        ring[next].computed.await();
        frames += (long) BACK_TO_BACK * spec.maxBatch();
        return frames * 1e9 / (System.nanoTime() - start);
    }

    private void enqueueMany(DeviceBatch run) {
        for (int i = 0; i < BACK_TO_BACK; i++) {
            enqueue(run, spec.maxBatch());
        }
        run.computed.record(compute);
    }

    private TensorRtBatchBuffer own(BatchBuffer batch) {
        if (batch instanceof TensorRtBatchBuffer buffer) {
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
    public Optional<GpuUsage> gpuUsage() {
        return Optional.of(
                new GpuUsage(
                        engine.gpu().index(),
                        copyNanos.sum(),
                        queueNanos.sum(),
                        computeNanos.sum(),
                        monitor.usedBytes(),
                        monitor.utilisationPercent()));
    }

    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        handles.close();
        for (DeviceBatch run : ring) {
            run.inFlight = false;
        }
        engine.close();
    }

    /** Owned last and so closed first: nothing may still run in what is given back then. */
    private void settle() {
        Cuda.use(engine.gpu().index());
        upload.synchronise();
        compute.synchronise();
        download.synchronise();
    }
}
