// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision.benchmark;

import io.sightline.events.FrameRejectedException;
import io.sightline.vision.DecodedFrame;
import io.sightline.vision.FrameLimits;
import io.sightline.vision.OpenCvFrameDecoder;
import java.util.Arrays;
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
 * Decoding one JPEG, checks included. {@code UNMARKED} lacks its end marker and {@code PROGRESSIVE}
 * is progressive: both are walked before they are decoded. Arguments are JMH's own.
 *
 * <pre>
 * mvn -q -pl operators/vision -am test-compile dependency:build-classpath \
 *     -Dmdep.includeScope=test -Dmdep.outputFile=/tmp/cp
 * java -cp operators/vision/target/test-classes:operators/vision/target/classes:$(cat /tmp/cp) \
 *     io.sightline.vision.benchmark.DecodeBenchmark
 * </pre>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class DecodeBenchmark {

    /** How the JPEG is coded and ends. */
    public enum Coding {
        BASELINE,
        UNMARKED,
        PROGRESSIVE
    }

    @Param({"640x480", "1280x720", "1920x1080"})
    public String size;

    @Param public Coding coding;

    private OpenCvFrameDecoder decoder;
    private byte[] encoded;

    @Setup(Level.Trial)
    public void open() {
        decoder = new OpenCvFrameDecoder(new FrameLimits(8 << 20, 1920 * 1080));
        encoded = BenchmarkData.jpeg(size, coding == Coding.PROGRESSIVE);
        if (coding == Coding.UNMARKED) {
            encoded = Arrays.copyOf(encoded, encoded.length - 2);
        }
    }

    @TearDown(Level.Trial)
    public void close() {
        decoder.close();
    }

    @Benchmark
    public DecodedFrame decode() throws FrameRejectedException {
        return decoder.decode(encoded);
    }

    public static void main(String[] args) throws RunnerException {
        BenchmarkData.run(DecodeBenchmark.class, args);
    }
}
