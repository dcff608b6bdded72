// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.synth;

import io.sightline.toolchain.ToolchainException;
import java.util.List;
import java.util.Locale;

/**
 * One of the published detectors YOLOv6 2.0 (N, T, S, M, L) and 3.0 (N, S, M, L), as its depth and
 * width multiples make it. T is the network that the 2.0 configuration describes, of 9.70 million
 * parameters.
 */
public final class YoloV6 {

    private static final int[] CHANNELS = {64, 128, 256, 512, 1024, 256, 128, 128, 256, 256, 512};
    private static final int[] REPEATS = {1, 6, 12, 18, 6, 12, 12, 12, 12};

    private enum Size {
        N(0.33, 0.25, 0, 2),
        T(0.33, 0.375, 0, 3),
        S(0.33, 0.5, 0, 3),
        M(0.6, 0.75, 2.0 / 3, 2),
        L(1, 1, 0.5, 2);

        private final double depth;
        private final double width;

        /** Width of the two branches of a cross-stage-partial stack; 0 for plain stacks. */
        private final double cspRatio;

        /** Gray pixels that a size is evaluated with on each side. */
        private final int border;

        Size(double depth, double width, double cspRatio, int border) {
            this.depth = depth;
            this.width = width;
            this.cspRatio = cspRatio;
            this.border = border;
        }
    }

    private final Size size;
    private final boolean third;

    private YoloV6(Size size, boolean third) {
        this.size = size;
        this.third = third;
    }

    /**
     * @param model {@code yolov6n}, {@code yolov6t}, {@code yolov6s}, {@code yolov6m} or {@code
     *     yolov6l}
     * @param version {@code 2.0} or {@code 3.0}
     * @throws ToolchainException if there is none such
     */
    public static YoloV6 of(String model, String version) {
        if (!List.of("2.0", "3.0").contains(version)) {
            throw new ToolchainException(
                    "version '" + version + "' is not known: expected 2.0 or 3.0");
        }
        boolean third = version.equals("3.0");
        for (Size size : Size.values()) {
            if (model.equals("yolov6" + letter(size))) {
                if (size == Size.T && third) {
                    throw new ToolchainException(
                            "yolov6t exists in version 2.0 only: expected yolov6n, s, m or l with 3.0");
                }
                return new YoloV6(size, third);
            }
        }
        throw new ToolchainException(
                "model '"
                        + model
                        + "' is not known: expected yolov6n, yolov6t, yolov6s, yolov6m or yolov6l");
    }

    private static String letter(Size size) {
        return size.name().toLowerCase(Locale.ROOT);
    }

    /** {@code yolov6n-2.0}. */
    public String name() {
        return "yolov6" + letter(size) + (third ? "-3.0" : "-2.0");
    }

    /** Gray pixels that the letterbox keeps free on each side. */
    public int border() {
        return size.border;
    }

    /** Whether it is version 3.0, with BiFusion in its neck. */
    boolean isThird() {
        return third;
    }

    /** Whether stages are cross-stage-partial stacks, and distances distributions over bins. */
    boolean isLarge() {
        return size.cspRatio > 0;
    }

    /** Channels of each branch of a cross-stage-partial stack with that many channels. */
    int branchChannels(int channels) {
        return (int) (channels * size.cspRatio);
    }

    /** Of the 3×3 blocks; L is trained with SiLU and without blocks of parallel branches. */
    Activation activation() {
        return size == Size.L ? Activation.SILU : Activation.RELU;
    }

    /** Stem and ERBlocks 2 to 5 of the backbone: index 0 to 4; six layers of the neck: 5 to 10. */
    int channels(int index) {
        return (int) Math.ceil(CHANNELS[index] * size.width / 8) * 8;
    }

    /** Blocks of a stack: stem and ERBlocks at 0 to 4, Rep_p4, Rep_p3, Rep_n3, Rep_n4 at 5 to 8. */
    int repeats(int index) {
        return Math.max(1, (int) Math.rint(REPEATS[index] * size.depth));
    }

    @Override
    public String toString() {
        return name();
    }
}
