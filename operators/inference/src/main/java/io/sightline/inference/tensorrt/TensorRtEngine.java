// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import io.sightline.inference.GraphTensor;
import io.sightline.inference.GraphTensor.ElementType;
import io.sightline.inference.InferenceException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.tensorrt.global.nvinfer;
import org.bytedeco.tensorrt.global.nvinfer.DataType;
import org.bytedeco.tensorrt.global.nvinfer.ExecutionContextAllocationStrategy;
import org.bytedeco.tensorrt.global.nvinfer.LayerInformationFormat;
import org.bytedeco.tensorrt.global.nvinfer.TensorIOMode;
import org.bytedeco.tensorrt.nvinfer.Dims64;
import org.bytedeco.tensorrt.nvinfer.ICudaEngine;
import org.bytedeco.tensorrt.nvinfer.IEngineInspector;
import org.bytedeco.tensorrt.nvinfer.IExecutionContext;
import org.bytedeco.tensorrt.nvinfer.IRuntime;

/**
 * An engine on a GPU: the weights, which all lanes there share. Closed when the last of those who
 * hold it lets go.
 */
final class TensorRtEngine implements AutoCloseable {

    private final GpuDevice gpu;
    private final Handles handles = new Handles();
    private final ICudaEngine engine;
    private int holders = 1;

    /**
     * Loads it; the caller is its first holder.
     *
     * @param plan as {@link EngineBuilder} wrote it, for that GPU's kind
     * @throws InferenceException if TensorRT refuses it
     */
    TensorRtEngine(Path plan, GpuDevice gpu) {
        this.gpu = gpu;
        Cuda.use(gpu.index());
        boolean loaded = false;
        try (BytePointer blob = read(plan)) {
            Owned<IRuntime> runtime =
                    handles.own(
                            Owned.of(
                                    nvinfer.createInferRuntime(EngineLog.instance()),
                                    IRuntime::new,
                                    "createInferRuntime"));
            engine =
                    handles.own(
                                    Owned.of(
                                            runtime.get()
                                                    .deserializeCudaEngine(blob, blob.capacity()),
                                            ICudaEngine::new,
                                            "deserializeCudaEngine of " + plan))
                            .get();
            handles.own(() -> Cuda.use(gpu.index()));
            loaded = true;
        } catch (IOException e) {
            throw new InferenceException("engine " + plan + ": cannot be read: " + e, e);
        } finally {
            if (!loaded) {
                handles.close();
            }
        }
    }

    /** Not mapped: what is mapped stays in memory until the garbage collector comes by. */
    private static BytePointer read(Path plan) throws IOException {
        BytePointer blob = null;
        try (FileChannel file = FileChannel.open(plan)) {
            blob = new BytePointer(file.size());
            ByteBuffer bytes = blob.asByteBuffer();
            while (bytes.hasRemaining()) {
                if (file.read(bytes) < 0) {
                    throw new EOFException("cut short while it was read");
                }
            }
            return blob;
        } catch (IOException e) {
            if (blob != null) {
                blob.close();
            }
            throw e;
        }
    }

    GpuDevice gpu() {
        return gpu;
    }

    /** One holder more. */
    synchronized TensorRtEngine hold() {
        if (holders == 0) {
            throw new IllegalStateException("the engine is closed");
        }
        holders++;
        return this;
    }

    List<GraphTensor> inputs() {
        return tensors(TensorIOMode.kINPUT);
    }

    List<GraphTensor> outputs() {
        return tensors(TensorIOMode.kOUTPUT);
    }

    private List<GraphTensor> tensors(TensorIOMode mode) {
        List<GraphTensor> tensors = new ArrayList<>();
        for (int i = 0; i < engine.getNbIOTensors(); i++) {
            String name = engine.getIOTensorName(i);
            if (engine.getTensorIOMode(name).intern() == mode) {
                try (Dims64 shape = engine.getTensorShape(name)) {
                    tensors.add(
                            new GraphTensor(
                                    name,
                                    elementType(engine.getTensorDataType(name)),
                                    dimensions(shape)));
                }
            }
        }
        return tensors;
    }

    static int[] dimensions(Dims64 dims) {
        int[] shape = new int[Math.max(0, dims.nbDims())];
        for (int i = 0; i < shape.length; i++) {
            long dimension = dims.d(i);
            shape[i] = dimension < 0 ? GraphTensor.DYNAMIC : Math.toIntExact(dimension);
        }
        return shape;
    }

    static ElementType elementType(DataType type) {
        return switch (type.intern()) {
            case kFLOAT -> ElementType.FLOAT32;
            case kHALF -> ElementType.FLOAT16;
            case kUINT8 -> ElementType.UINT8;
            case kINT32 -> ElementType.INT32;
            case kINT64 -> ElementType.INT64;
            default -> ElementType.OTHER;
        };
    }

    int profiles() {
        return engine.getNbOptimizationProfiles();
    }

    /** What its contexts need to compute in, in bytes, whatever the profile. */
    long scratchBytes() {
        return engine.getDeviceMemorySizeV2();
    }

    /**
     * A context that computes in memory its owner gives it.
     *
     * @param profile which it is for, for good
     * @param stream to prepare it on; nothing of it is left there
     */
    Owned<IExecutionContext> newContext(int profile, GpuStream stream) {
        Owned<IExecutionContext> context =
                Owned.of(
                        engine.createExecutionContext(
                                ExecutionContextAllocationStrategy.kUSER_MANAGED),
                        IExecutionContext::new,
                        "createExecutionContext");
        try {
            EngineLog.require(
                    context.get().setOptimizationProfileAsync(profile, stream.handle()),
                    "setOptimizationProfileAsync(" + profile + ")");
            stream.synchronise();
            return context;
        } catch (RuntimeException | Error e) {
            context.close();
            throw e;
        }
    }

    /**
     * Its layers as JSON, for {@link EngineInspection}.
     *
     * @param context of this engine, with a shape set: without one the inspector tells no format of
     *     a tensor whose batch is open
     */
    String inspect(IExecutionContext context) {
        try (Owned<IEngineInspector> inspector =
                Owned.of(
                        engine.createEngineInspector(),
                        IEngineInspector::new,
                        "createEngineInspector")) {
            EngineLog.require(inspector.get().setExecutionContext(context), "setExecutionContext");
            return inspector.get().getEngineInformation(LayerInformationFormat.kJSON);
        }
    }

    /** One holder less. */
    @Override
    public synchronized void close() {
        if (holders > 0 && --holders == 0) {
            handles.close();
        }
    }
}
