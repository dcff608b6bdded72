// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes one convolution of linear branches that start at the same tensor and are added up: a k×k
 * and a 1×1 convolution, a BatchNorm, the tensor itself, a 3×3 average. Together with the folding
 * of BatchNorms that turns RepVGG's blocks (W3 + pad(W1) + diag(t) at the centre) and QARepVGG's,
 * both versions (1/9 on the diagonal for the average), into what they are at inference.
 *
 * <p>Each branch must be centred, of one stride and of one size: odd kernels, padding of half the
 * kernel, no dilation, one group count; averages that count the zeros around, since others divide
 * by less at the border.
 */
final class ParallelBranches implements Pass {

    /**
     * @param source the tensor it starts at
     * @param node Conv, BatchNormalization or AveragePool; null where the tensor itself is added
     */
    private record Branch(String source, Node node) {

        static Branch of(Node node) {
            return new Branch(node.input(0), node);
        }

        static Branch identity(String tensor) {
            return new Branch(tensor, null);
        }

        boolean isConv() {
            return node != null && node.is("Conv");
        }

        boolean isAverage() {
            return node != null && node.is("AveragePool");
        }

        boolean isNorm() {
            return node != null && node.is("BatchNormalization");
        }
    }

    @Override
    public String name() {
        return "parallel branches into one convolution";
    }

    @Override
    public PassReport apply(Graph graph) {
        Matches matches = new Matches();
        for (Node root : List.copyOf(graph.nodes())) {
            if (graph.nodes().contains(root) && isSum(root) && !isWithinSum(graph, root)) {
                apply(graph, root, matches);
            }
        }
        return matches.report(this);
    }

    private static boolean isSum(Node node) {
        return node.is("Add") || node.is("Sum");
    }

    private static boolean isWithinSum(Graph graph, Node node) {
        return graph.soleConsumer(node.output())
                .filter(ParallelBranches::isSum)
                // Added to itself it counts twice.
                .filter(sum -> count(sum, node.output()) == 1)
                .isPresent();
    }

    private static long count(Node node, String tensor) {
        return node.inputs().stream().filter(tensor::equals).count();
    }

    private static void apply(Graph graph, Node root, Matches matches) {
        List<Node> sums = new ArrayList<>();
        List<String> terms = new ArrayList<>();
        flatten(graph, root, sums, terms);

        Map<String, List<Integer>> bySource = new LinkedHashMap<>();
        Map<Integer, Branch> branches = new LinkedHashMap<>();
        Map<Integer, String> refusals = new LinkedHashMap<>();
        for (int i = 0; i < terms.size(); i++) {
            String term = terms.get(i);
            if (graph.isConstant(term)) {
                continue;
            }
            Optional<Node> producer = graph.producer(term).filter(ParallelBranches::isLinear);
            String source = producer.map(node -> node.input(0)).orElse(term);
            Optional<String> problem = producer.flatMap(node -> problem(graph, node, term, terms));
            int index = i;
            problem.ifPresentOrElse(
                    reason -> refusals.put(index, reason),
                    () ->
                            branches.put(
                                    index,
                                    producer.map(Branch::of)
                                            .orElseGet(() -> Branch.identity(term))));
            bySource.computeIfAbsent(source, s -> new ArrayList<>()).add(i);
            // What a branch ends in may be where others start.
            if (producer.isPresent() && terms.stream().anyMatch(t -> startsAt(graph, t, term))) {
                bySource.computeIfAbsent(term, s -> new ArrayList<>()).add(i);
            }
        }
        for (Map.Entry<String, List<Integer>> group : bySource.entrySet()) {
            if (group.getValue().size() > 1
                    && merge(graph, root, sums, terms, group, branches, refusals, matches)) {
                return;
            }
        }
    }

    private static boolean startsAt(Graph graph, String term, String tensor) {
        return graph.producer(term)
                .filter(ParallelBranches::isLinear)
                .filter(node -> node.input(0).equals(tensor))
                .isPresent();
    }

    private static boolean isLinear(Node node) {
        return node.is("Conv") || node.is("BatchNormalization") || node.is("AveragePool");
    }

    private static void flatten(Graph graph, Node sum, List<Node> sums, List<String> terms) {
        sums.add(sum);
        for (String term : sum.inputs()) {
            Optional<Node> inner =
                    graph.producer(term)
                            .filter(ParallelBranches::isSum)
                            .filter(node -> isWithinSum(graph, node));
            if (inner.isPresent()) {
                flatten(graph, inner.get(), sums, terms);
            } else {
                terms.add(term);
            }
        }
    }

    private static Optional<String> problem(
            Graph graph, Node node, String term, List<String> terms) {
        if (graph.soleConsumer(term).isEmpty() || terms.stream().filter(term::equals).count() > 1) {
            return Optional.of("what it gives is used elsewhere too");
        }
        return switch (node.opType()) {
            case "Conv" -> convProblem(graph, node);
            case "BatchNormalization" -> Affine.unfit(graph, node);
            default -> averageProblem(node);
        };
    }

    private static Optional<String> convProblem(Graph graph, Node conv) {
        Optional<String> unfit = Convolution.unfit(graph, conv);
        if (unfit.isPresent()) {
            return unfit;
        }
        Tensor weight = graph.constant(conv.input(1));
        if (weight.rank() != 4) {
            return Optional.of("it has not two spatial axes");
        }
        if (Arrays.stream(conv.longsAttribute("dilations", 1, 1)).anyMatch(d -> d != 1)) {
            return Optional.of("its kernel is dilated");
        }
        long height = weight.dim(2);
        long width = weight.dim(3);
        if (height % 2 == 0 || width % 2 == 0) {
            return Optional.of("its kernel has no centre");
        }
        long[] centred = {height / 2, width / 2, height / 2, width / 2};
        if (!conv.stringAttribute("auto_pad", "NOTSET").equals("NOTSET")
                || !Arrays.equals(conv.longsAttribute("pads", 0, 0, 0, 0), centred)) {
            return Optional.of("it is not padded by half its kernel");
        }
        return Optional.empty();
    }

    private static Optional<String> averageProblem(Node pool) {
        if (pool.longAttribute("count_include_pad", 0) == 0) {
            return Optional.of("its averages leave the zeros at the border out");
        }
        boolean fits =
                Arrays.equals(pool.longsAttribute("kernel_shape"), new long[] {3, 3})
                        && Arrays.equals(pool.longsAttribute("strides", 1, 1), new long[] {1, 1})
                        && Arrays.equals(
                                pool.longsAttribute("pads", 0, 0, 0, 0), new long[] {1, 1, 1, 1})
                        && Arrays.equals(pool.longsAttribute("dilations", 1, 1), new long[] {1, 1})
                        && pool.stringAttribute("auto_pad", "NOTSET").equals("NOTSET")
                        && pool.longAttribute("ceil_mode", 0) == 0;
        return fits
                ? Optional.empty()
                : Optional.of("it is no 3x3 average with stride 1 and one pixel around");
    }

    /** Whether branches of one source became one; else says why not where they look like it. */
    private static boolean merge(
            Graph graph,
            Node root,
            List<Node> sums,
            List<String> terms,
            Map.Entry<String, List<Integer>> group,
            Map<Integer, Branch> branches,
            Map<Integer, String> refusals,
            Matches matches) {
        String source = group.getKey();
        List<Branch> parts = new ArrayList<>();
        List<Integer> indices = new ArrayList<>();
        Convolution base = null;
        for (int i : group.getValue()) {
            if (refusals.containsKey(i) && !terms.get(i).equals(source)) {
                matches.left(graph.producer(terms.get(i)).orElseThrow(), refusals.get(i));
                continue;
            }
            // A refused branch, or one of another source, still is a tensor that others start at.
            Branch branch = terms.get(i).equals(source) ? Branch.identity(source) : branches.get(i);
            parts.add(branch);
            indices.add(i);
            if (branch.isConv()) {
                Convolution conv = Convolution.of(graph, branch.node);
                if (base == null || conv.weight().size() > base.weight().size()) {
                    base = conv;
                }
            }
        }
        if (base == null || parts.size() < 2) {
            return false;
        }
        Convolution target = base;
        List<Branch> fitting = new ArrayList<>();
        List<Integer> kept = new ArrayList<>();
        for (int p = 0; p < parts.size(); p++) {
            Optional<String> mismatch = mismatch(graph, target, parts.get(p));
            if (mismatch.isPresent()) {
                Node about = graph.producer(terms.get(indices.get(p))).orElse(root);
                matches.left(about, mismatch.get());
            } else {
                fitting.add(parts.get(p));
                kept.add(indices.get(p));
            }
        }
        if (fitting.size() < 2) {
            return false;
        }
        write(graph, target, fitting);
        List<String> rest = new ArrayList<>();
        for (int i = 0; i < terms.size(); i++) {
            if (!kept.contains(i)) {
                rest.add(terms.get(i));
            }
        }
        replace(graph, root, sums, target.node(), fitting, rest);
        matches.rewrote();
        return true;
    }

    private static Optional<String> mismatch(Graph graph, Convolution base, Branch branch) {
        long[] stride = base.node().longsAttribute("strides", 1, 1);
        if (branch.isConv()) {
            Convolution conv = Convolution.of(graph, branch.node);
            if (conv.group() != base.group()) {
                return Optional.of(
                        "it has %d groups, %s has %d"
                                .formatted(conv.group(), base.node(), base.group()));
            }
            if (!Arrays.equals(branch.node.longsAttribute("strides", 1, 1), stride)) {
                return Optional.of("its stride is not that of " + base.node());
            }
            if (conv.outputs() != base.outputs()) {
                return Optional.of("its outputs are broadcast over those of " + base.node());
            }
            return Optional.empty();
        }
        if (stride[0] != 1 || stride[1] != 1) {
            return Optional.of("beside it " + base.node() + " has a stride");
        }
        if (base.inputs() != base.outputs()) {
            return Optional.of("beside it " + base.node() + " changes the number of channels");
        }
        return Optional.empty();
    }

    /** Sum of the kernels, each in the middle of the largest. */
    private static void write(Graph graph, Convolution base, List<Branch> branches) {
        int height = 1;
        int width = 1;
        for (Branch branch : branches) {
            if (branch.isConv()) {
                Tensor weight = Convolution.of(graph, branch.node).weight();
                height = Math.max(height, (int) weight.dim(2));
                width = Math.max(width, (int) weight.dim(3));
            } else if (branch.isAverage()) {
                height = Math.max(height, 3);
                width = Math.max(width, 3);
            }
        }
        int outputs = base.outputs();
        int inputs = (int) base.weight().dim(1);
        double[] kernel = new double[outputs * inputs * height * width];
        double[] bias = new double[outputs];
        for (Branch branch : branches) {
            if (branch.isConv()) {
                addConv(Convolution.of(graph, branch.node), kernel, bias, height, width);
            } else {
                addDiagonal(graph, base, branch, kernel, bias, height, width);
            }
        }
        float[] weights = new float[kernel.length];
        for (int i = 0; i < kernel.length; i++) {
            weights[i] = (float) kernel[i];
        }
        base.set(Tensor.floats(new long[] {outputs, inputs, height, width}, weights), bias);
        base.node()
                .with("kernel_shape", new long[] {height, width})
                .with("pads", new long[] {height / 2, width / 2, height / 2, width / 2});
    }

    private static void addConv(
            Convolution conv, double[] kernel, double[] bias, int height, int width) {
        Tensor weight = conv.weight();
        float[] values = weight.toFloats();
        int ownHeight = (int) weight.dim(2);
        int ownWidth = (int) weight.dim(3);
        int top = (height - ownHeight) / 2;
        int left = (width - ownWidth) / 2;
        for (int i = 0; i < values.length; i++) {
            int x = i % ownWidth;
            int y = i / ownWidth % ownHeight;
            int channel = i / (ownWidth * ownHeight);
            kernel[(channel * height + y + top) * width + x + left] += values[i];
        }
        double[] own = conv.bias();
        for (int o = 0; o < own.length; o++) {
            bias[o] += own[o];
        }
    }

    private static void addDiagonal(
            Graph graph,
            Convolution base,
            Branch branch,
            double[] kernel,
            double[] bias,
            int height,
            int width) {
        int inputs = (int) base.weight().dim(1);
        int reach = branch.isAverage() ? 1 : 0;
        Affine affine = branch.isNorm() ? Affine.ofBatchNorm(graph, branch.node) : null;
        for (int o = 0; o < base.outputs(); o++) {
            // Within a group inputs are numbered anew.
            int channel = o * inputs + o % inputs;
            double value = branch.isAverage() ? 1.0 / 9 : 1;
            if (affine != null) {
                value = affine.scale()[o];
                bias[o] += affine.shift()[o];
            }
            for (int y = -reach; y <= reach; y++) {
                for (int x = -reach; x <= reach; x++) {
                    kernel[(channel * height + height / 2 + y) * width + width / 2 + x] += value;
                }
            }
        }
    }

    private static void replace(
            Graph graph,
            Node root,
            List<Node> sums,
            Node conv,
            List<Branch> merged,
            List<String> rest) {
        graph.nodes().removeAll(sums);
        for (Branch branch : merged) {
            if (branch.node != null && branch.node != conv) {
                graph.nodes().remove(branch.node);
            }
        }
        if (rest.isEmpty()) {
            conv.outputs().set(0, root.output());
            return;
        }
        // What the convolution gives is something else now, and so has another name.
        String last = graph.uniqueTensor(root.output() + "_part");
        conv.outputs().set(0, last);
        for (int i = 0; i < rest.size(); i++) {
            boolean end = i == rest.size() - 1;
            String sum = end ? root.output() : graph.uniqueTensor(root.output() + "_part");
            String name = end ? root.name() : root.name() + "_part" + i;
            graph.add("Add", name, List.of(last, rest.get(i)), sum);
            last = sum;
        }
    }
}
