// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.toolchain.Target;
import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PlacementTest {

    private static final QuantizePlan ONNXRUNTIME =
            QuantizePlan.of(Target.ONNXRUNTIME, RangeMethod.MAX);
    private static final QuantizePlan TENSORRT = QuantizePlan.of(Target.TENSORRT, RangeMethod.MAX);

    private final SmallNet net = new SmallNet();

    private static Placement place(Graph graph, QuantizePlan plan) {
        Set<String> calibrated = new HashSet<>(Placement.calibrated(graph));
        return Placement.of(graph, plan, calibrated);
    }

    /** Groups of more than one. */
    private static List<Set<String>> shared(Placement placement) {
        return placement.groups().stream().filter(group -> group.size() > 1).toList();
    }

    private static List<String> int8(Placement placement) {
        return placement.quantizedConvolutions().stream().map(Node::name).toList();
    }

    @Test
    void shouldRoundBehindRectifiersAndLeaveTheDecodeFloat() {
        Graph graph = net.decoded(net.convRelu("b", net.convRelu("a", "images")));

        Placement onnxruntime = place(graph, ONNXRUNTIME);
        assertThat(onnxruntime.tensors()).containsExactlyInAnyOrder("images", "a", "b", "head");
        assertThat(shared(onnxruntime)).isEmpty();
        assertThat(int8(onnxruntime)).containsExactly("a.conv", "b.conv", "head");
        assertThat(place(graph, TENSORRT).tensors()).containsExactlyInAnyOrder("images", "a", "b");
    }

    @Test
    void shouldRoundEveryStepOfSilu() {
        Graph graph = net.decoded(net.convSilu("a", "images"));

        assertThat(place(graph, ONNXRUNTIME).tensors())
                .containsExactlyInAnyOrder("images", "a.conv", "a.sigmoid", "a", "head");
        assertThat(place(graph, TENSORRT).tensors()).containsExactlyInAnyOrder("images", "a");
    }

    @Test
    void shouldShareOneScaleInConcat() {
        net.convRelu("a", "images");
        net.convRelu("b", "images");
        Graph graph = net.endingIn(head(net.concat("cat", "a", "b")));

        Placement onnxruntime = place(graph, ONNXRUNTIME);
        assertThat(onnxruntime.tensors())
                .containsExactlyInAnyOrder("images", "a", "b", "cat", "head");
        assertThat(shared(onnxruntime)).containsExactly(Set.of("a", "b", "cat"));
        assertThat(place(graph, TENSORRT).tensors()).containsExactlyInAnyOrder("images", "cat");
    }

    private String head(String in) {
        net.conv("head", in, 2 * SmallNet.CHANNELS);
        net.node("Softplus", "outputs", "head");
        return "outputs";
    }

    @Test
    void shouldNotShareOneScaleOfRectifiedAndSignedTensors() {
        net.convRelu("a", "images");
        net.convSilu("b", "images");
        Graph graph = net.endingIn(head(net.concat("cat", "a", "b")));

        assertThat(shared(place(graph, ONNXRUNTIME))).containsExactly(Set.of("b", "cat"));
    }

    @Test
    void shouldShareOneScaleOnBothSidesOfAnAddition() {
        net.convRelu("a", "images");
        net.convRelu("b", "a");
        net.node("Add", "sum", "a", "b");
        Graph graph = net.decoded("sum");

        Placement onnxruntime = place(graph, ONNXRUNTIME);
        assertThat(onnxruntime.tensors())
                .containsExactlyInAnyOrder("images", "a", "b", "sum", "head");
        assertThat(shared(onnxruntime)).containsExactly(Set.of("a", "b"));
        Placement tensorrt = place(graph, TENSORRT);
        assertThat(tensorrt.tensors()).containsExactlyInAnyOrder("images", "a", "b", "sum");
        assertThat(shared(tensorrt)).containsExactly(Set.of("a", "b"));
    }

    @Test
    void shouldAddWhatAConvolutionGivesUnroundedForTensorRt() {
        net.convRelu("a", "images");
        net.conv("b", "a");
        net.node("Add", "sum", "a", "b");
        net.relu("rectified", "sum");
        Graph graph = net.decoded("rectified");

        assertThat(place(graph, TENSORRT).tensors())
                .containsExactlyInAnyOrder("images", "a", "rectified");
        // The kernel of the addition takes the rectifier in.
        assertThat(place(graph, ONNXRUNTIME).tensors())
                .containsExactlyInAnyOrder("images", "a", "b", "rectified", "head");
    }

    @Test
    void shouldKeepOneScaleThroughPooling() {
        net.convRelu("a", "images");
        net.maxPool("m1", "a");
        net.maxPool("m2", "m1");
        net.maxPool("m3", "m2");
        net.concat("cat", "a", "m1", "m2", "m3");
        net.conv("head", "cat", 4 * SmallNet.CHANNELS);
        net.node("Softplus", "outputs", "head");
        Graph graph = net.endingIn("outputs");

        Placement onnxruntime = place(graph, ONNXRUNTIME);
        assertThat(shared(onnxruntime)).containsExactly(Set.of("a", "m1", "m2", "m3", "cat"));
        assertThat(onnxruntime.tensors()).hasSize(7).contains("images", "head");
        assertThat(place(graph, TENSORRT).tensors()).containsExactlyInAnyOrder("images", "cat");
    }

    @Test
    void shouldKeepOneScaleThroughResizing() {
        net.convRelu("a", "images");
        net.resize("large", "a");
        net.resize("larger", net.convRelu("b", "a"));
        Graph graph = net.endingIn(head(net.concat("cat", "large", "larger")));

        assertThat(shared(place(graph, ONNXRUNTIME)))
                .containsExactly(Set.of("a", "large", "b", "larger", "cat"));
        assertThat(place(graph, TENSORRT).tensors())
                .containsExactlyInAnyOrder("images", "a", "cat");
    }

    @Test
    void shouldKeepOneScaleThroughSplits() {
        net.convRelu("a", "images");
        net.split("half", "a");
        net.conv("b", "half1", SmallNet.CHANNELS / 2, SmallNet.CHANNELS / 2);
        net.concat("cat", "half0", "b");
        Graph graph = net.decoded("cat");

        Placement onnxruntime = place(graph, ONNXRUNTIME);
        assertThat(onnxruntime.tensors())
                .containsExactlyInAnyOrder("images", "a", "half0", "half1", "b", "cat", "head");
        assertThat(shared(onnxruntime))
                .containsExactlyInAnyOrder(Set.of("a", "half0", "half1"), Set.of("b", "cat"));
        assertThat(place(graph, TENSORRT).tensors())
                .containsExactlyInAnyOrder("images", "half1", "cat");
    }

    @Test
    void shouldLeaveTransposedConvolutionsFloat() {
        net.convRelu("a", "images");
        net.deconv("large", "a");
        net.resize("larger", net.convRelu("b", "a"));
        Graph graph = net.endingIn(head(net.concat("cat", "large", "larger")));

        Placement onnxruntime = place(graph, ONNXRUNTIME);
        assertThat(int8(onnxruntime)).containsExactly("a.conv", "b.conv", "head");
        // What it gives is rounded for the Concat behind it.
        assertThat(onnxruntime.tensors())
                .containsExactlyInAnyOrder("images", "a", "large", "b", "larger", "cat", "head");
        assertThat(place(graph, TENSORRT).tensors())
                .containsExactlyInAnyOrder("images", "a", "cat");
    }

    @Test
    void shouldUseThePicturesBytesAsTheyAre() {
        SmallNet bytes = SmallNet.ofBytes();
        Graph graph = bytes.decoded(bytes.convRelu("a", "pixels"));

        assertThat(place(graph, ONNXRUNTIME).tensors()).containsExactlyInAnyOrder("a", "head");
    }

    @Test
    void shouldRoundNothingAroundLayersThatStayFloat() {
        Graph graph =
                net.decoded(net.convSilu("c", net.convSilu("b", net.convSilu("a", "images"))));

        assertThat(place(graph, ONNXRUNTIME.withFloatLayers(Set.of("a.conv", "b.conv"))).tensors())
                .containsExactlyInAnyOrder("b", "c.conv", "c.sigmoid", "c", "head");
        // Its activation has nothing in INT8 to give to.
        assertThat(place(graph, ONNXRUNTIME.withFloatLayers(Set.of("b.conv"))).tensors())
                .containsExactlyInAnyOrder(
                        "images", "a.conv", "b", "c.conv", "c.sigmoid", "c", "head");
        assertThat(place(graph, TENSORRT.withFloatLayers(Set.of("b.conv"))).tensors())
                .containsExactlyInAnyOrder("images", "b", "c");
        Set<String> all = Set.of("a.conv", "b.conv", "c.conv", "head");
        assertThat(place(graph, ONNXRUNTIME.withFloatLayers(all)).tensors()).isEmpty();
        assertThat(place(graph, TENSORRT.withFloatLayers(all)).tensors()).isEmpty();
    }

    @Test
    void shouldNotTakeConvolutionsThatDecodeDistributions() {
        net.conv("a", "images");
        net.node("Softmax", "distribution", "a").with("axis", 1);
        net.node("Transpose", "turned", "distribution").with("perm", new long[] {0, 1, 3, 2});
        net.conv("expected", "turned");
        Graph graph = net.endingIn("expected");

        assertThat(Quantizer.layers(graph)).containsExactly("a");
    }

    @Test
    void shouldNotTakeConvolutionsWhoseWeightsAreComputed() {
        net.conv("a", "images");
        net.node("Abs", "computed", "a.weight");
        net.node("Conv", "b", "images", "computed");
        net.node("Add", "sum", "a", "b");
        net.node("Conv", "c", "images", "computed");
        Graph graph = net.endingIn("b");

        assertThat(Quantizer.layers(graph)).containsExactly("a");
    }

    @Test
    void shouldReachTheDecodeOnlyWhereThatIsAskedFor() {
        net.conv("a", "images");
        net.conv("b", "images");
        net.node("Sigmoid", "scores", "b");
        Graph graph = net.endingIn(net.concat("outputs", "a", "scores"));

        assertThat(place(graph, ONNXRUNTIME).tensors())
                .containsExactlyInAnyOrder("images", "a", "b");
        Placement trap = place(graph, ONNXRUNTIME.withDecode());
        assertThat(trap.tensors())
                .containsExactlyInAnyOrder("images", "a", "b", "scores", "outputs");
    }
}
