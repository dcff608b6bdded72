// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision.benchmark;

import io.sightline.inference.OutputLayout;
import io.sightline.inference.RawOutput;
import io.sightline.vision.DetectionReader;
import io.sightline.vision.Detections;
import io.sightline.vision.NmsSettings;
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
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.RunnerException;

/**
 * Parsing one frame's output of 50 objects, each seen by several anchors, and suppressing overlaps;
 * 80 classes at 640 × 640. Arguments are JMH's own.
 *
 * <pre>
 * mvn -q -pl operators/vision -am test-compile dependency:build-classpath \
 *     -Dmdep.includeScope=test -Dmdep.outputFile=/tmp/cp
 * java -cp operators/vision/target/test-classes:operators/vision/target/classes:$(cat /tmp/cp) \
 *     io.sightline.vision.benchmark.ReadBenchmark
 * </pre>
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class ReadBenchmark {

    /** Whose settings. */
    public enum Settings {
        INFER,
        EVAL
    }

    @Param({"ANCHORS_OBJ", "CHANNELS_FIRST", "PAIRS"})
    public OutputLayout layout;

    @Param public Settings settings;

    private RawOutput output;
    private DetectionReader reader;

    @Setup(Level.Trial)
    public void open() {
        output = BenchmarkData.output(layout);
        reader =
                new DetectionReader(
                        BenchmarkData.model(layout),
                        settings == Settings.INFER
                                ? NmsSettings.infer(0.4f, 0.45f)
                                : NmsSettings.eval());
    }

    @Benchmark
    public Detections read() {
        return reader.read(output, 0);
    }

    public static void main(String[] args) throws RunnerException {
        BenchmarkData.run(ReadBenchmark.class, args);
    }
}
