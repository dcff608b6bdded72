// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.onnxruntime;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.TensorInfo;
import io.sightline.inference.InferenceException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * Runs any graph, whatever goes in and comes out: for tools that look inside a network. The job's
 * lanes use {@link OnnxRuntimeBackend}. Owns its session; for one thread at a time.
 */
public final class GraphSession implements AutoCloseable {

    private final OrtEnvironment environment;
    private final OrtSession session;
    private boolean closed;

    /**
     * What a tensor holds; one of the buffers, the others are null.
     *
     * @param shape outermost dimension first
     * @param floats of float32 tensors
     * @param bytes of uint8 and int8 tensors
     * @param longs of int64 and int32 tensors
     */
    public record Value(long[] shape, FloatBuffer floats, ByteBuffer bytes, LongBuffer longs) {

        /** float32, from position 0 to the limit. */
        public static Value of(long[] shape, FloatBuffer floats) {
            return new Value(shape, floats, null, null);
        }

        /** uint8, from position 0 to the limit. */
        public static Value of(long[] shape, ByteBuffer bytes) {
            return new Value(shape, null, bytes, null);
        }

        /** int64, from position 0 to the limit. */
        public static Value of(long[] shape, LongBuffer longs) {
            return new Value(shape, null, null, longs);
        }
    }

    private GraphSession(OrtEnvironment environment, OrtSession session) {
        this.environment = environment;
        this.session = session;
    }

    /**
     * @param onnx a model file's bytes
     * @throws InferenceException if ONNX Runtime refuses the graph, with its reason
     */
    public static GraphSession open(byte[] onnx, SessionSettings settings) {
        try (SessionOptions options = settings.toOptions()) {
            OrtEnvironment environment = OrtEnvironment.getEnvironment();
            return new GraphSession(environment, environment.createSession(onnx, options));
        } catch (OrtException e) {
            throw failed("ONNX Runtime refuses the graph", e);
        }
    }

    /** Of the library that runs graphs. */
    public static String runtimeVersion() {
        return OrtEnvironment.getEnvironment().getVersion();
    }

    public List<String> inputs() {
        return List.copyOf(session.getInputNames());
    }

    public List<String> outputs() {
        return List.copyOf(session.getOutputNames());
    }

    /** Of an output: its element type as ONNX calls it, such as FLOAT or INT64. */
    public String outputType(String output) {
        try {
            NodeInfo info = session.getOutputInfo().get(output);
            return ((TensorInfo) info.getInfo()).type.name();
        } catch (OrtException e) {
            throw failed("output '" + output + "'", e);
        }
    }

    /**
     * Runs the graph and hands over its outputs one after the other, each valid until the next, so
     * that many large ones need not lie side by side.
     *
     * @throws InferenceException if the run fails, or an output is of a type that {@link Value} has
     *     not
     */
    public void run(Map<String, Value> inputs, BiConsumer<String, Value> outputs) {
        compute(
                inputs,
                result -> {
                    for (Map.Entry<String, OnnxValue> output : result) {
                        outputs.accept(output.getKey(), value(output.getKey(), output.getValue()));
                    }
                });
    }

    /** As {@link #run(Map, BiConsumer)}, all outputs at once, in the graph's order. */
    public Map<String, Value> run(Map<String, Value> inputs) {
        Map<String, Value> outputs = new LinkedHashMap<>();
        run(inputs, outputs::put);
        return outputs;
    }

    /** Runs the graph and drops what comes out: for timing. */
    public void runOnly(Map<String, Value> inputs) {
        compute(inputs, result -> {});
    }

    /** Takes what a run gave, which is closed afterwards. */
    private interface ResultReader {
        void read(OrtSession.Result result) throws OrtException;
    }

    private void compute(Map<String, Value> inputs, ResultReader reader) {
        Map<String, OnnxTensor> tensors = new HashMap<>();
        try {
            for (Map.Entry<String, Value> input : inputs.entrySet()) {
                tensors.put(input.getKey(), tensor(input.getValue()));
            }
            try (OrtSession.Result result = session.run(tensors)) {
                reader.read(result);
            }
        } catch (OrtException e) {
            throw failed("the run failed", e);
        } finally {
            tensors.values().forEach(OnnxTensor::close);
        }
    }

    private OnnxTensor tensor(Value value) throws OrtException {
        if (value.floats() != null) {
            return OnnxTensor.createTensor(environment, value.floats().rewind(), value.shape());
        }
        if (value.bytes() != null) {
            return OnnxTensor.createTensor(
                    environment, value.bytes().rewind(), value.shape(), OnnxJavaType.UINT8);
        }
        return OnnxTensor.createTensor(environment, value.longs().rewind(), value.shape());
    }

    private static Value value(String name, OnnxValue output) throws OrtException {
        if (!(output instanceof OnnxTensor tensor)) {
            throw new InferenceException("output '" + name + "' is no tensor");
        }
        long[] shape = tensor.getInfo().getShape();
        return switch (tensor.getInfo().type) {
            case FLOAT -> Value.of(shape, tensor.getFloatBuffer());
            case INT64 -> Value.of(shape, tensor.getLongBuffer());
            case INT32 -> {
                java.nio.IntBuffer ints = tensor.getIntBuffer();
                LongBuffer longs = LongBuffer.allocate(ints.remaining());
                while (ints.hasRemaining()) {
                    longs.put(ints.get());
                }
                yield Value.of(shape, longs.rewind());
            }
            case UINT8, INT8, BOOL -> Value.of(shape, tensor.getByteBuffer());
            default ->
                    throw new InferenceException(
                            "output '"
                                    + name
                                    + "' is of type "
                                    + tensor.getInfo().type
                                    + ": expected float32, an integer or bool");
        };
    }

    /**
     * Ends the profile that the settings asked for.
     *
     * @return a file in the JSON of Chrome's trace viewer, one event a node and run
     */
    public Path endProfiling() {
        try {
            return Path.of(session.endProfiling());
        } catch (OrtException e) {
            throw failed("no profile", e);
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            session.close();
        } catch (OrtException e) {
            throw failed("closing the session failed", e);
        }
    }

    private static InferenceException failed(String what, OrtException e) {
        return new InferenceException(
                what + ": " + String.valueOf(e.getMessage()).replaceAll("\\s+", " ").strip(), e);
    }
}
