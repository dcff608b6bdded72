// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision.benchmark;

import io.sightline.events.FrameRejectedException;
import io.sightline.vision.DecodedFrame;
import io.sightline.vision.FrameLimits;
import io.sightline.vision.Interpolation;
import io.sightline.vision.Letterbox;
import io.sightline.vision.LetterboxGeometry;
import io.sightline.vision.OpenCvFrameDecoder;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.RunnerException;

/**
 * Letterboxing one decoded frame into a slot. Arguments are JMH's own, {@code -p size=640x480} for
 * one.
 *
 * <pre>
 * mvn -q -pl operators/vision -am test-compile dependency:build-classpath \
 *     -Dmdep.includeScope=test -Dmdep.outputFile=/tmp/cp
 * java -cp operators/vision/target/test-classes:operators/vision/target/classes:$(cat /tmp/cp) \
 *     io.sightline.vision.benchmark.LetterboxBenchmark
 * </pre>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class LetterboxBenchmark {

    @Param({"640x480", "1280x720", "1920x1080"})
    public String size;

    @Param({"320", "640"})
    public int input;

    @Param({"LINEAR", "YOLOV6"})
    public Interpolation interpolation;

    private OpenCvFrameDecoder decoder;
    private Letterbox letterbox;
    private DecodedFrame frame;
    private ByteBuffer slot;

    @Setup(Level.Trial)
    public void open() throws FrameRejectedException {
        decoder = new OpenCvFrameDecoder(new FrameLimits(8 << 20, 1920 * 1080));
        frame = decoder.decode(BenchmarkData.jpeg(size, false));
        letterbox = new Letterbox(BenchmarkData.model(input), interpolation);
        slot = ByteBuffer.allocateDirect(input * input * 3);
    }

    @TearDown(Level.Trial)
    public void close() {
        letterbox.close();
        decoder.close();
    }

    @Benchmark
    public LetterboxGeometry letterbox() {
        return letterbox.write(frame, slot);
    }

    public static void main(String[] args) throws RunnerException {
        BenchmarkData.run(LetterboxBenchmark.class, args);
    }
}
