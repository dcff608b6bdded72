// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.toolchain.SpecFile;
import io.sightline.toolchain.fuse.FuseResult;
import io.sightline.toolchain.fuse.Fuser;
import io.sightline.toolchain.fuse.PassReport;
import io.sightline.toolchain.fuse.PassReport.Left;
import io.sightline.toolchain.graph.Graph;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ./sightline model fuse}: fewer operators that compute the same, and the proof. */
@Command(
        name = "fuse",
        description =
                "Fold BatchNorms, parallel branches and constants into convolutions, and prove that nothing changed.",
        mixinStandardHelpOptions = true)
final class FuseCommand implements Callable<Integer> {

    private static final int NAMES = 3;

    @Option(
            names = "--model",
            required = true,
            paramLabel = "IN",
            description = "ONNX file to fuse.")
    Path model;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "OUT",
            description = "ONNX file to write; the JSON beside the model is carried over.")
    Path out;

    @Option(
            names = "--dequantize",
            description =
                    "First turn a dynamically quantised model (ConvInteger) back into a float one.")
    boolean dequantize;

    @Override
    public Integer call() {
        Graph graph = Graph.read(model);
        FuseResult result = Fuser.fuse(graph, dequantize);
        result.graph().write(out);
        if (dequantize) {
            SpecFile.carry(model, out, "precision");
        } else {
            SpecFile.carry(model, out);
        }
        System.out.printf(
                "%s: %d nodes, %s had %d%n",
                out, result.graph().nodes().size(), model, graph.nodes().size());
        result.passes().forEach(FuseCommand::print);
        result.dequantizeDeviation()
                .ifPresent(
                        deviation ->
                                System.out.printf(
                                        Locale.ROOT,
                                        "float against dynamically quantised: %.2g of the largest value, as activations are no longer rounded%n",
                                        deviation));
        System.out.printf(
                Locale.ROOT,
                "proof: on random input nothing differs by more than %.2g of the largest value%n",
                result.worstRelativeError());
        return 0;
    }

    private static void print(PassReport report) {
        System.out.printf(Locale.ROOT, "%6d  %s%n", report.matches(), report.pass());
        Map<String, List<String>> byReason =
                report.left().stream()
                        .collect(
                                Collectors.groupingBy(
                                        Left::reason,
                                        LinkedHashMap::new,
                                        Collectors.mapping(Left::node, Collectors.toList())));
        byReason.forEach(
                (reason, nodes) ->
                        System.out.printf(
                                Locale.ROOT,
                                "        left %d, because %s: %s%s%n",
                                nodes.size(),
                                reason,
                                String.join(", ", nodes.subList(0, Math.min(NAMES, nodes.size()))),
                                nodes.size() > NAMES ? ", …" : ""));
    }
}
