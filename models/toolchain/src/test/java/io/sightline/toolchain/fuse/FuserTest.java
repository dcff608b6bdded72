// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.ValueInfo;
import io.sightline.toolchain.synth.BlockForm;
import io.sightline.toolchain.synth.SyntheticModel;
import io.sightline.toolchain.synth.YoloV6;
import io.sightline.toolchain.testing.RandomGraphs;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class FuserTest {

    private static final int CHANNELS = 4;

    private final Random random = new Random(7);
    private final Graph graph = new Graph("small", 13);

    FuserTest() {
        graph.inputs().add(ValueInfo.of("x", ElementType.FLOAT, 1, CHANNELS, 6, 8));
        graph.outputs().add(ValueInfo.untyped("y"));
    }

    private Node conv(String name, String in, int out, int kernel, int group, String output) {
        Node node =
                graph.add(
                        "Conv",
                        name,
                        List.of(
                                in,
                                graph.addConstant(
                                        name + ".w", normal(out, CHANNELS / group, kernel, kernel)),
                                graph.addConstant(name + ".b", normal(out))),
                        output);
        long pad = kernel / 2;
        return node.with("pads", new long[] {pad, pad, pad, pad}).with("group", group);
    }

    private Node deconv(String in, int out, int group, String output) {
        return graph.add(
                        "ConvTranspose",
                        "deconv",
                        List.of(
                                in,
                                graph.addConstant("deconv.w", normal(CHANNELS, out / group, 3, 3))),
                        output)
                .with("strides", new long[] {2, 2})
                .with("group", group);
    }

    private Node norm(String name, String in, int channels, String output) {
        float[] variance = new float[channels];
        for (int c = 0; c < channels; c++) {
            variance[c] = 0.2f + random.nextFloat();
        }
        return graph.add(
                        "BatchNormalization",
                        name,
                        List.of(
                                in,
                                graph.addConstant(name + ".gamma", normal(channels)),
                                graph.addConstant(name + ".beta", normal(channels)),
                                graph.addConstant(name + ".mean", normal(channels)),
                                graph.addConstant(
                                        name + ".var",
                                        Tensor.floats(new long[] {channels}, variance))),
                        output)
                .with("epsilon", 0.01f);
    }

    private Node average(String in, String output) {
        return graph.add("AveragePool", "average", List.of(in), output)
                .with("kernel_shape", new long[] {3, 3})
                .with("pads", new long[] {1, 1, 1, 1})
                .with("count_include_pad", 1);
    }

    private void add(String a, String b, String output) {
        graph.add("Add", "add_" + output, List.of(a, b), output);
    }

    private Tensor normal(long... dims) {
        int size = 1;
        for (long dim : dims) {
            size *= (int) dim;
        }
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return Tensor.floats(dims, values);
    }

    private Graph fused() {
        return Fuser.fuse(graph, false).graph();
    }

    private static List<String> operators(Graph graph) {
        return graph.sorted().stream().map(Node::opType).toList();
    }

    private static PassReport report(FuseResult result, String pass) {
        return result.passes().stream()
                .filter(report -> report.pass().startsWith(pass))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void shouldFoldBatchNormIntoTheConvBeforeIt() {
        conv("conv", "x", 6, 3, 2, "a");
        norm("bn", "a", 6, "y");
        FuseResult result = Fuser.fuse(graph, false);
        assertThat(operators(result.graph())).containsExactly("Conv");
        assertThat(result.worstRelativeError()).isLessThan(1e-5);
        assertThat(report(result, "BatchNorm into the convolution before").matches()).isEqualTo(1);
        // The graph that was given stays.
        assertThat(graph.nodes()).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void shouldFoldBatchNormIntoTheConvTransposeBeforeIt(int group) {
        deconv("x", 8, group, "a");
        norm("bn", "a", 8, "y");
        assertThat(operators(fused())).containsExactly("ConvTranspose");
    }

    @Test
    void shouldLeaveABatchNormWhoseConvIsUsedElsewhere() {
        conv("conv", "x", 4, 3, 1, "a");
        norm("bn", "a", 4, "b");
        graph.add("Mul", "both", List.of("a", "b"), "y");
        FuseResult result = Fuser.fuse(graph, false);
        assertThat(operators(result.graph())).contains("BatchNormalization");
        assertThat(report(result, "BatchNorm into the convolution before").left())
                .singleElement()
                .satisfies(
                        left -> {
                            assertThat(left.node()).isEqualTo("BatchNormalization 'bn'");
                            assertThat(left.reason()).contains("used elsewhere");
                        });
    }

    @Test
    void shouldLeaveABatchNormWhoseConvIsAnOutput() {
        conv("conv", "x", 4, 3, 1, "a");
        norm("bn", "a", 4, "y");
        graph.outputs().add(ValueInfo.untyped("a"));
        assertThat(operators(fused())).containsExactly("Conv", "BatchNormalization");
    }

    @Test
    void shouldNotChangeConstantsThatOthersUse() {
        Node first = conv("first", "x", 4, 3, 1, "a");
        norm("bn", "a", 4, "b");
        Node second = conv("second", "b", 4, 3, 1, "y");
        second.inputs().set(1, first.input(1));
        second.inputs().set(2, first.input(2));
        assertThat(operators(fused())).containsExactly("Conv", "Conv");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void shouldFoldBatchNormIntoTheConvBehindItWhereNothingIsPadded(int group) {
        norm("bn", "x", 4, "a");
        conv("conv", "a", 6, 3, group, "y").with("pads", new long[] {0, 0, 0, 0});
        assertThat(operators(fused())).containsExactly("Conv");
    }

    @Test
    void shouldLeaveABatchNormBeforePadding() {
        norm("bn", "x", 4, "a");
        conv("conv", "a", 6, 3, 1, "y");
        FuseResult result = Fuser.fuse(graph, false);
        assertThat(operators(result.graph())).containsExactly("BatchNormalization", "Conv");
        assertThat(report(result, "BatchNorm into the convolution behind").left().get(0).reason())
                .contains("pads");
    }

    @Test
    void shouldFoldABatchNormBeforePaddingThatOnlyScales() {
        Node norm = norm("bn", "x", 4, "a");
        norm.inputs()
                .set(2, graph.addConstant("zero", Tensor.floats(new long[] {4}, new float[4])));
        norm.inputs().set(3, norm.input(2));
        conv("conv", "a", 6, 3, 1, "y");
        assertThat(operators(fused())).containsExactly("Conv");
    }

    @Test
    void shouldLeaveABatchNormThatStandsAlone() {
        norm("bn", "x", 4, "a");
        graph.add("Relu", "relu", List.of("a"), "y");
        FuseResult result = Fuser.fuse(graph, false);
        assertThat(report(result, "BatchNorm into the convolution behind").left().get(0).reason())
                .contains("before Relu 'relu'");
        assertThat(result.worstRelativeError()).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "Mul, 0", "Mul, 1", "Add, 0", "Add, 1", "Sub, 0", "Sub, 1", "Div, 0",
    })
    void shouldFoldConstantsIntoTheConvBeforeThem(String operator, int side) {
        conv("conv", "x", 4, 3, 1, "a");
        String constant = graph.addConstant("c", normal(1, 4, 1, 1));
        graph.add(operator, "op", side == 0 ? List.of("a", constant) : List.of(constant, "a"), "b");
        graph.add("Mul", "half", List.of("b", graph.addConstant("h", Tensor.scalar(0.5f))), "y");
        assertThat(operators(fused())).containsExactly("Conv");
    }

    @Test
    void shouldLeaveConstantsThatAreNotOneAChannel() {
        conv("conv", "x", 4, 3, 1, "a");
        // Along the width, not the channels: the sizes would fit.
        graph.add("Mul", "op", List.of("a", graph.addConstant("c", normal(8))), "y");
        FuseResult result = Fuser.fuse(graph, false);
        assertThat(operators(result.graph())).containsExactly("Conv", "Mul");
        assertThat(report(result, "constants into").left().get(0).reason())
                .contains("FLOAT [8] is not one value a channel");
    }

    @Test
    void shouldLeaveADivisionByWhatTheConvGives() {
        conv("conv", "x", 4, 3, 1, "a");
        graph.add("Exp", "exp", List.of("a"), "e");
        conv("second", "e", 4, 1, 1, "b");
        graph.add("Div", "op", List.of(graph.addConstant("c", Tensor.scalar(1)), "b"), "y");
        assertThat(report(Fuser.fuse(graph, false), "constants into").left().get(0).reason())
                .contains("divides by");
    }

    @ParameterizedTest
    @CsvSource({"1, 4", "2, 4", "1, 6", "2, 6"})
    void shouldMakeOneConvOfARepVggBlock(int stride, int out) {
        conv("dense", "x", out, 3, 1, "a").with("strides", new long[] {stride, stride});
        norm("dense.bn", "a", out, "b");
        conv("pointwise", "x", out, 1, 1, "c").with("strides", new long[] {stride, stride});
        norm("pointwise.bn", "c", out, "d");
        boolean identity = stride == 1 && out == CHANNELS;
        add("b", "d", identity ? "e" : "y");
        if (identity) {
            norm("identity.bn", "x", out, "f");
            add("f", "e", "y");
        }
        FuseResult result = Fuser.fuse(graph, false);
        assertThat(operators(result.graph())).containsExactly("Conv");
        assertThat(result.graph().constant(result.graph().nodes().get(0).input(1)).dims())
                .containsExactly(out, CHANNELS, 3, 3);
    }

    @ParameterizedTest
    @CsvSource({"1, 4, false", "1, 4, true", "2, 4, false", "1, 6, false"})
    void shouldMakeOneConvOfAQaRepVggBlock(int stride, int out, boolean second) {
        conv("dense", "x", out, 3, 1, "a").with("strides", new long[] {stride, stride});
        norm("dense.bn", "a", out, "b");
        conv("pointwise", "x", out, 1, 1, "c").with("strides", new long[] {stride, stride});
        add("b", "c", "d");
        String sum = "d";
        if (stride == 1 && out == CHANNELS) {
            add("x", "d", "e");
            sum = "e";
        }
        if (second) {
            average("x", "f");
            add(sum, "f", "g");
            sum = "g";
        }
        norm("bn", sum, out, "y");
        assertThat(operators(fused())).containsExactly("Conv");
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4})
    void shouldMakeOneConvOfGroupedBranches(int group) {
        conv("dense", "x", 4, 3, group, "a");
        conv("pointwise", "x", 4, 1, group, "b");
        add("a", "b", "c");
        average("x", "d");
        add("d", "c", "e");
        add("e", "x", "y");
        assertThat(operators(fused())).containsExactly("Conv");
    }

    @Test
    void shouldKeepWhatElseIsAdded() {
        conv("dense", "x", 4, 3, 1, "a");
        graph.add("Relu", "relu", List.of("x"), "r");
        add("a", "r", "b");
        conv("pointwise", "x", 4, 1, 1, "c");
        add("b", "c", "y");
        assertThat(operators(fused())).containsExactlyInAnyOrder("Conv", "Relu", "Add");
    }

    @Test
    void shouldLeaveBranchesOfOtherGroups() {
        conv("dense", "x", 4, 3, 1, "a");
        conv("grouped", "x", 4, 1, 2, "b");
        add("a", "b", "y");
        refused("it has 2 groups, Conv 'dense' has 1");
    }

    @Test
    void shouldLeaveDilatedBranches() {
        conv("dense", "x", 4, 3, 1, "a")
                .with("dilations", new long[] {2, 2})
                .with("pads", new long[] {2, 2, 2, 2});
        conv("pointwise", "x", 4, 1, 1, "b");
        add("a", "b", "y");
        refused("dilated");
    }

    @Test
    void shouldLeaveBranchesThatAreNotCentred() {
        conv("dense", "x", 4, 3, 1, "a").with("pads", new long[] {2, 2, 0, 0});
        conv("pointwise", "x", 4, 1, 1, "b");
        add("a", "b", "y");
        refused("not padded by half its kernel");
    }

    @Test
    void shouldLeaveAveragesThatDoNotCountTheBorder() {
        conv("dense", "x", 4, 3, 1, "a");
        average("x", "b").with("count_include_pad", 0);
        add("a", "b", "y");
        refused("leave the zeros at the border out");
    }

    @Test
    void shouldLeaveBranchesThatAreUsedElsewhere() {
        conv("dense", "x", 4, 3, 1, "a");
        conv("pointwise", "x", 4, 1, 1, "b");
        add("a", "b", "c");
        graph.add("Mul", "again", List.of("b", "c"), "y");
        refused("used elsewhere");
    }

    private void refused(String reason) {
        FuseResult result = Fuser.fuse(graph, false);
        assertThat(operators(result.graph())).contains("Add");
        PassReport report = report(result, "parallel branches");
        assertThat(report.matches()).isZero();
        assertThat(report.left()).anySatisfy(left -> assertThat(left.reason()).contains(reason));
    }

    @Test
    void shouldRemoveIdentitiesAndKeepTheNamesOfOutputs() {
        graph.add("Identity", "first", List.of("x"), "a");
        graph.add("Relu", "relu", List.of("a"), "b");
        graph.add("Dropout", "dropout", List.of("b"), "c");
        graph.add("Identity", "last", List.of("c"), "y");
        Graph fused = fused();
        assertThat(operators(fused)).containsExactly("Relu");
        assertThat(fused.nodes().get(0).outputs()).containsExactly("y");
    }

    @Test
    void shouldRemoveARectifierBehindAnother() {
        graph.add("Relu", "first", List.of("x"), "a");
        graph.add("Relu", "second", List.of("a"), "b");
        graph.add("Sigmoid", "between", List.of("b"), "c");
        graph.add("Relu", "third", List.of("c"), "d");
        graph.add("Relu", "fourth", List.of("d"), "y");
        Graph fused = fused();
        assertThat(operators(fused)).containsExactly("Relu", "Sigmoid", "Relu");
        assertThat(fused.nodes().get(2).outputs()).containsExactly("y");
    }

    @Test
    void shouldLeaveAnIdentityBetweenTwoOutputsAndATrainedDropout() {
        graph.add("Relu", "relu", List.of("x"), "r");
        graph.add("Identity", "copy", List.of("r"), "y");
        graph.outputs().add(ValueInfo.untyped("r"));
        FuseResult result = Fuser.fuse(graph, false);
        assertThat(operators(result.graph())).containsExactly("Relu", "Identity");
        assertThat(report(result, "identities").left()).hasSize(1);
    }

    @Test
    void shouldComputeConstantsOfEveryType() {
        graph.initializers().put("one", Tensor.longs(1, CHANNELS));
        graph.initializers().put("two", Tensor.longs(-1));
        graph.add("Concat", "shape", List.of("one", "two"), "shape").with("axis", 0);
        graph.add("Reshape", "reshape", List.of("x", "shape"), "a");
        graph.initializers().put("three", Tensor.longs(3));
        graph.add("Cast", "cast", List.of("three"), "int").with("to", ElementType.INT32.number());
        graph.add("Cast", "back", List.of("int"), "float").with("to", ElementType.FLOAT.number());
        graph.add("Mul", "mul", List.of("a", "float"), "y");
        FuseResult result = Fuser.fuse(graph, false);
        assertThat(operators(result.graph())).containsExactly("Reshape", "Mul");
        assertThat(result.graph().constant("shape").toLongs()).containsExactly(1, 4, -1);
        assertThat(report(result, "constants computed").matches()).isEqualTo(3);
    }

    @Test
    void shouldLeaveQuantisedWeightsAndLargeConstants() {
        graph.initializers().put("q", Tensor.bytes(ElementType.INT8, new long[] {1}, (byte) 5));
        graph.initializers().put("scale", Tensor.scalar(0.5f));
        graph.add("DequantizeLinear", "dq", List.of("q", "scale"), "w");
        graph.add("Mul", "mul", List.of("x", "w"), "a");
        graph.initializers().put("size", Tensor.longs(1, 4, 600, 600));
        graph.add("ConstantOfShape", "zeros", List.of("size"), "z");
        graph.add("ReduceSum", "sum", List.of("z"), "s").with("keepdims", 0);
        add("a", "s", "y");
        FuseResult result = Fuser.fuse(graph, false);
        assertThat(operators(result.graph())).contains("DequantizeLinear", "ConstantOfShape");
        assertThat(report(result, "constants computed").left())
                .extracting(PassReport.Left::reason)
                .containsExactlyInAnyOrder(
                        "quantised constants stay so", "its result of 5760000 bytes is too large");
    }

    @Test
    void shouldShareEqualConstantsAndRemoveWhatIsUnused() {
        graph.initializers().put("a", Tensor.scalar(2));
        graph.initializers().put("b", Tensor.scalar(2));
        graph.add("Mul", "first", List.of("x", "a"), "p");
        graph.add("Pow", "second", List.of("p", "b"), "y");
        graph.add("Relu", "idle", List.of("x"), "nowhere");
        FuseResult result = Fuser.fuse(graph, false);
        assertThat(result.graph().initializers()).containsOnlyKeys("a");
        assertThat(operators(result.graph())).containsExactly("Mul", "Pow");
        assertThat(report(result, "unused").matches()).isEqualTo(1);
        assertThat(report(result, "equal").matches()).isEqualTo(1);
    }

    @Test
    void shouldProveWhatIsSortedByWhatGoesIntoTheOrder() {
        conv("conv", "x", 4, 3, 1, "a");
        norm("bn", "a", 4, "b");
        graph.initializers().put("shape", Tensor.longs(1, -1));
        graph.add("Reshape", "flat", List.of("b", "shape"), "flat");
        graph.initializers().put("k", Tensor.longs(20));
        graph.add("TopK", "top", List.of("flat", "k"), "y").outputs().add("rank");
        graph.outputs().add(ValueInfo.untyped("rank"));
        FuseResult result = Fuser.fuse(graph, false);
        assertThat(operators(result.graph())).containsExactly("Conv", "Reshape", "TopK");
        assertThat(result.graph().outputs()).hasSize(2);
    }

    @Test
    void shouldNotTakeAnotherGraphForEqual() {
        conv("conv", "x", 4, 3, 1, "y");
        Graph other = graph.copy();
        other.initializers().put("conv.b", normal(4));
        assertThatThrownBy(() -> Proof.prove(graph, other))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("does not compute what the graph before did");
        // An order that depends on the values is no excuse.
        Graph sorted = graph.copy();
        sorted.initializers().put("k", Tensor.longs(2));
        sorted.add("TopK", "top", List.of("y", "k"), "z").outputs().add("rank");
        sorted.outputs().set(0, ValueInfo.untyped("z"));
        Graph fewer = sorted.copy();
        fewer.initializers().put("k", Tensor.longs(1));
        assertThatThrownBy(() -> Proof.prove(sorted, fewer)).isInstanceOf(ToolchainException.class);
    }

    @ParameterizedTest
    @EnumSource
    void shouldGiveTheInferenceFormOfATrainedNetwork(BlockForm form) {
        for (String version : List.of("2.0", "3.0")) {
            YoloV6 architecture = YoloV6.of("yolov6n", version);
            Graph trained = new SyntheticModel(architecture, form, 64, 64, 80, 3).graph();
            Graph inference =
                    new SyntheticModel(architecture, BlockForm.INFERENCE, 64, 64, 80, 3).graph();
            FuseResult result = Fuser.fuse(trained, false);
            assertThat(operators(result.graph()))
                    .containsExactlyInAnyOrderElementsOf(operators(inference));
            assertThat(result.worstRelativeError()).isLessThan(2e-5);
        }
    }

    @Property(tries = 60)
    void shouldKeepWhatRandomGraphsCompute(@ForAll long seed) {
        Graph random = RandomGraphs.of(seed);
        FuseResult result = Fuser.fuse(random, false);
        assertThat(result.worstRelativeError()).isLessThanOrEqualTo(Proof.TOLERANCE);
        assertThat(result.graph().nodes()).hasSizeLessThanOrEqualTo(random.nodes().size());
        assertThat(Graph.of(result.graph().toBytes()).nodes())
                .hasSameSizeAs(result.graph().nodes());
    }
}
