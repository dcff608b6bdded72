// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.ValueInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * Rewrites a graph into fewer operators that compute the same, and proves that they do.
 *
 * <p>The error is max |a − b| / max |a| over each compared tensor, and at most 1e-4.
 */
public final class Fuser {

    private Fuser() {}

    /**
     * @param graph stays as it is
     * @param dequantize whether dynamically quantised operators are turned back into float ones
     *     first
     * @throws ToolchainException if the fused graph does not compute what the graph did, if that
     *     cannot be run, or leaves the size of its input open
     */
    public static FuseResult fuse(Graph graph, boolean dequantize) {
        Graph work = graph.copy();
        work.nameUnnamed();
        Map<String, PassReport> reports = new LinkedHashMap<>();
        OptionalDouble deviation = OptionalDouble.empty();
        if (dequantize) {
            Graph quantised = work.copy();
            PassReport report = new Dequantization().apply(work);
            reports.put(report.pass(), report);
            if (report.matches() > 0) {
                deviation = OptionalDouble.of(Proof.deviation(quantised, work));
            }
        }
        Graph before = work.copy();

        // As outputs the tensors that the proof compares stay.
        List<ValueInfo> outputs = List.copyOf(work.outputs());
        for (String tensor : Proof.beforeOrdering(work)) {
            if (!work.isOutput(tensor) && work.producer(tensor).isPresent()) {
                work.outputs().add(ValueInfo.untyped(tensor));
            }
        }
        runToTheEnd(
                work,
                List.of(
                        new IdentityRemoval(),
                        new ConstantFolding(),
                        new BatchNormAfterConv(),
                        new ParallelBranches(),
                        new ArithmeticAfterConv(),
                        new BatchNormBeforeConv()),
                reports);
        work.outputs().clear();
        work.outputs().addAll(outputs);
        runToTheEnd(work, List.of(new DeadCode(), new DuplicateConstants()), reports);
        work.validate();
        return new FuseResult(
                work, new ArrayList<>(reports.values()), Proof.prove(before, work), deviation);
    }

    /** One pass makes room for another: as long as any finds something. */
    private static void runToTheEnd(
            Graph graph, List<Pass> passes, Map<String, PassReport> reports) {
        boolean changed = true;
        while (changed) {
            changed = false;
            for (Pass pass : passes) {
                PassReport report = pass.apply(graph);
                changed |= report.matches() > 0;
                // What is left is what the last run leaves.
                reports.merge(
                        report.pass(),
                        report,
                        (earlier, later) ->
                                new PassReport(
                                        later.pass(),
                                        earlier.matches() + later.matches(),
                                        later.left()));
            }
        }
    }
}
