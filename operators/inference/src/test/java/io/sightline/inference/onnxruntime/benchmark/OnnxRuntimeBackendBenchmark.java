// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.onnxruntime.benchmark;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.sightline.inference.BatchBuffer;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.RawOutput;
import io.sightline.inference.onnxruntime.OnnxRuntimeBackend;
import io.sightline.inference.testing.TestModels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * What the backend costs a batch on top of ONNX Runtime: {@link #backend} is a whole run of filled
 * slots, {@link #session} the bare engine on tensors that are ready. Where the network takes bytes
 * the difference is bookkeeping; where it takes floats it is the conversion as well. Run {@link
 * #main} with the module's test class path; {@code -p model=FILE} measures a real network of batch
 * one in place of one that does nearly nothing.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class OnnxRuntimeBackendBenchmark {

    @Param({"320", "640"})
    public int side;

    @Param({"BYTES_NHWC_BGR", "FLOAT_NCHW_RGB"})
    public InputFormat format;

    @Param({"1"})
    public int batch;

    @Param({""})
    public String model;

    private OnnxRuntimeBackend backend;
    private BatchBuffer buffer;
    private OrtSession session;
    private OnnxTensor input;
    private Map<String, OnnxTensor> inputs;

    public static void main(String[] args) throws RunnerException, CommandLineOptionException {
        new Runner(
                        new OptionsBuilder()
                                .parent(new CommandLineOptions(args))
                                .include(OnnxRuntimeBackendBenchmark.class.getSimpleName())
                                .build())
                .run();
    }

    @Setup
    public void open() throws IOException, OrtException {
        Path folder = Files.createTempDirectory("benchmark");
        Path file =
                model.isEmpty()
                        ? TestModels.colourDetector(folder, side, side, batch, format)
                        : Path.of(model);
        backend = OnnxRuntimeBackend.open(file, ModelOptions.NONE, batch, 1);
        buffer = backend.newBuffer();
        ModelSpec spec = backend.spec();
        Random random = new Random(3);
        byte[] pixels = new byte[spec.slotBytes()];
        for (int i = 0; i < buffer.capacity(); i++) {
            random.nextBytes(pixels);
            buffer.slot(i).put(0, pixels);
        }
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            options.setInterOpNumThreads(1);
            options.addConfigEntry("session.intra_op.allow_spinning", "0");
            session = environment.createSession(file.toString(), options);
        }
        boolean bytes = spec.inputFormat() == InputFormat.BYTES_NHWC_BGR;
        int width = spec.inputWidth();
        int height = spec.inputHeight();
        ByteBuffer memory =
                ByteBuffer.allocateDirect(spec.slotBytes() * spec.maxBatch() * (bytes ? 1 : 4))
                        .order(ByteOrder.nativeOrder());
        input =
                bytes
                        ? OnnxTensor.createTensor(
                                environment,
                                memory,
                                new long[] {spec.maxBatch(), height, width, 3},
                                OnnxJavaType.UINT8)
                        : OnnxTensor.createTensor(
                                environment,
                                memory.asFloatBuffer(),
                                new long[] {spec.maxBatch(), 3, height, width});
        inputs = Map.of(session.getInputNames().iterator().next(), input);
        if (model.isEmpty()) {
            Files.delete(file);
            Files.delete(folder.resolve("colour-detector.json"));
        }
        Files.delete(folder);
    }

    @TearDown
    public void close() throws OrtException {
        input.close();
        session.close();
        buffer.close();
        backend.close();
    }

    @Benchmark
    public RawOutput backend() {
        backend.submit(buffer, buffer.capacity());
        return backend.await(buffer);
    }

    @Benchmark
    public int session() throws OrtException {
        try (OrtSession.Result result = session.run(inputs)) {
            return result.size();
        }
    }
}
