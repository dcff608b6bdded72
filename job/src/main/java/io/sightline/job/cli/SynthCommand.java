// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.synth.BlockForm;
import io.sightline.toolchain.synth.SyntheticModel;
import io.sightline.toolchain.synth.YoloV6;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ./sightline model synth}: a YOLOv6 graph with random weights. */
@Command(
        name = "synth",
        description =
                "Write a YOLOv6 graph with random weights, to measure speed where trained ones are not to be had.",
        showDefaultValues = true)
final class SynthCommand implements Callable<Integer> {

    // The standard options would take --version for themselves.
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help message and exit.")
    boolean help;

    @Option(
            names = "--model",
            required = true,
            paramLabel = "NAME",
            description = "yolov6n, yolov6t, yolov6s, yolov6m or yolov6l.")
    String model;

    @Option(
            names = "--version",
            required = true,
            paramLabel = "VERSION",
            description = "2.0 or 3.0 (there without yolov6t).")
    String version;

    @Option(
            names = "--form",
            defaultValue = "inference",
            paramLabel = "FORM",
            description =
                    "inference: convolutions with bias; repvgg, qarepvgg, qarepvgg-v2: parallel branches with BatchNorm, as trained.")
    BlockForm form;

    @Option(names = "--width", defaultValue = "640", description = "Of the input, pixels.")
    int width;

    @Option(names = "--height", defaultValue = "640", description = "Of the input, pixels.")
    int height;

    @Option(names = "--classes", defaultValue = "80", description = "How many classes to score.")
    int classes;

    @Option(names = "--seed", defaultValue = "0", description = "Of the weights.")
    long seed;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "FILE",
            description = "ONNX file to write; its JSON goes beside it.")
    Path out;

    @Override
    public Integer call() {
        SyntheticModel synthetic =
                new SyntheticModel(YoloV6.of(model, version), form, width, height, classes, seed);
        Graph graph = synthetic.write(out);
        System.out.printf(
                Locale.ROOT,
                "%s: %s, random weights of seed %d, input %dx%d, %d nodes, %.2f million constants%n",
                out,
                synthetic.architecture(),
                seed,
                width,
                height,
                graph.nodes().size(),
                graph.parameters() / 1e6);
        return 0;
    }
}
