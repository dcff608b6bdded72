// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.calibrate;

import io.sightline.inference.ModelSpec;
import io.sightline.toolchain.Progress;
import io.sightline.toolchain.Sha256;
import io.sightline.toolchain.ToolchainException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Pictures that activations can be observed on: looked at as the network will see them. Flat
 * pictures, exact copies and pictures of other sets are left out; few and similar ones are kept and
 * said.
 *
 * @param usable in the order given
 * @param sha256 of the usable ones, by file name
 * @param problems a line for each kind
 */
public record CalibrationImages(
        List<Path> usable, Map<String, String> sha256, List<String> problems) {

    /** Fewer leave ranges to chance. */
    static final int FEW = 20;

    /** More only take longer. */
    static final int MANY = 2048;

    /**
     * Least standard deviation of what is not letterbox, in gray values: compressed noise of a
     * covered lens or a blank wall stays below.
     */
    static final double FLAT = 4;

    /** Most of 64 bits that differ between pictures that are nearly the same. */
    static final int NEAR = 4;

    private static final int NAMED = 5;

    public CalibrationImages {
        usable = List.copyOf(usable);
        problems = List.copyOf(problems);
    }

    /**
     * @param others pictures of the other sets, by their sha256
     * @param letterbox as the model wants it
     * @throws ToolchainException if there are no pictures, none is usable, or some cannot be read;
     *     the message names them
     */
    public static CalibrationImages check(
            List<Path> pictures,
            Map<String, Path> others,
            ModelSpec spec,
            Pictures letterbox,
            Progress progress) {
        if (pictures.isEmpty()) {
            throw new ToolchainException(
                    "calibration: there are no pictures, expected %d or more".formatted(FEW));
        }
        Check check = new Check(spec, others);
        List<Path> looked = pictures.subList(0, Math.min(MANY, pictures.size()));
        for (int i = 0; i < looked.size(); i++) {
            check.look(looked.get(i), letterbox);
            progress.step("checking calibration pictures", i + 1, looked.size());
        }
        return check.result(pictures.size());
    }

    /** One pass over the pictures. */
    private static final class Check {

        private final ModelSpec spec;
        private final Map<String, Path> others;
        private final Map<String, Path> seen = new HashMap<>();
        private final Map<Path, Long> hashes = new LinkedHashMap<>();
        private final Map<String, String> sha256 = new LinkedHashMap<>();
        private final List<String> unreadable = new ArrayList<>();
        private final List<String> flat = new ArrayList<>();
        private final List<String> copies = new ArrayList<>();
        private final List<String> shared = new ArrayList<>();
        private final List<String> similar = new ArrayList<>();

        Check(ModelSpec spec, Map<String, Path> others) {
            this.spec = spec;
            this.others = others;
        }

        void look(Path picture, Pictures letterbox) {
            Content content;
            String sum;
            try {
                sum = Sha256.of(picture);
                content = Content.of(letterbox.letterbox(picture), spec);
            } catch (ToolchainException e) {
                unreadable.add(e.getMessage());
                return;
            }
            String name = picture.getFileName().toString();
            Path twin = seen.putIfAbsent(sum, picture);
            if (twin != null) {
                copies.add(name + " = " + twin.getFileName());
            } else if (others.containsKey(sum)) {
                shared.add(name + " = " + others.get(sum).getFileName());
            } else if (content.deviation() < FLAT) {
                flat.add(String.format(Locale.ROOT, "%s (%.1f)", name, content.deviation()));
            } else {
                long hash = content.differenceHash();
                hashes.entrySet().stream()
                        .filter(other -> Long.bitCount(hash ^ other.getValue()) <= NEAR)
                        .findFirst()
                        .ifPresent(
                                other -> similar.add(name + " ~ " + other.getKey().getFileName()));
                hashes.put(picture, hash);
                sha256.put(name, sum);
            }
        }

        CalibrationImages result(int given) {
            if (!unreadable.isEmpty()) {
                throw new ToolchainException(
                        "calibration: %d of %d pictures cannot be used, remove or mend them: %s"
                                .formatted(unreadable.size(), given, named(unreadable)));
            }
            List<String> problems = new ArrayList<>();
            if (given > MANY) {
                problems.add(
                        "%d pictures are more than calibration gains from: only the first %d are used"
                                .formatted(given, MANY));
            }
            say(
                    problems,
                    flat,
                    String.format(
                            Locale.ROOT, "flat, left out (standard deviation below %.0f)", FLAT));
            say(problems, copies, "exact copies, left out");
            say(problems, shared, "also in another set, left out");
            say(problems, similar, "nearly the same as another, used all the same");
            if (hashes.isEmpty()) {
                throw new ToolchainException(
                        "calibration: none of %d pictures can be used: %s"
                                .formatted(given, String.join("; ", problems)));
            }
            if (hashes.size() < FEW) {
                problems.add(
                        "%d usable pictures are few: ranges depend on chance, expected %d or more"
                                .formatted(hashes.size(), FEW));
            }
            return new CalibrationImages(List.copyOf(hashes.keySet()), sha256, problems);
        }

        private static void say(List<String> problems, List<String> found, String what) {
            if (!found.isEmpty()) {
                problems.add("%d %s: %s".formatted(found.size(), what, named(found)));
            }
        }

        private static String named(List<String> found) {
            String names = found.stream().limit(NAMED).collect(Collectors.joining(", "));
            return found.size() <= NAMED
                    ? names
                    : names + " and %d more".formatted(found.size() - NAMED);
        }
    }

    /**
     * What a letterboxed picture holds within its bars.
     *
     * @param luma of the whole, 0..255, row by row
     * @param left first column of the content
     * @param right behind its last column
     */
    private record Content(int[] luma, int stride, int left, int right, int top, int bottom) {

        static Content of(ByteBuffer bgr, ModelSpec spec) {
            int width = spec.inputWidth();
            int height = spec.inputHeight();
            int[] luma = new int[width * height];
            int left = width;
            int right = 0;
            int top = height;
            int bottom = 0;
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    int at = 3 * (y * width + x);
                    int blue = bgr.get(at) & 0xFF;
                    int green = bgr.get(at + 1) & 0xFF;
                    int red = bgr.get(at + 2) & 0xFF;
                    luma[y * width + x] = (114 * blue + 587 * green + 299 * red) / 1000;
                    if (blue != spec.fill() || green != spec.fill() || red != spec.fill()) {
                        left = Math.min(left, x);
                        right = Math.max(right, x + 1);
                        top = Math.min(top, y);
                        bottom = y + 1;
                    }
                }
            }
            return right == 0
                    ? new Content(luma, width, 0, width, 0, height)
                    : new Content(luma, width, left, right, top, bottom);
        }

        double deviation() {
            double sum = 0;
            double squares = 0;
            for (int y = top; y < bottom; y++) {
                for (int x = left; x < right; x++) {
                    double value = luma[y * stride + x];
                    sum += value;
                    squares += value * value;
                }
            }
            double count = (double) (right - left) * (bottom - top);
            return Math.sqrt(Math.max(0, squares / count - sum / count * (sum / count)));
        }

        /** 8 × 8 bits: whether a cell is brighter than its right neighbour, of 9 × 8 cells. */
        long differenceHash() {
            long hash = 0;
            for (int row = 0; row < 8; row++) {
                double before = cell(0, row);
                for (int column = 1; column < 9; column++) {
                    double here = cell(column, row);
                    hash = hash << 1 | (before > here ? 1 : 0);
                    before = here;
                }
            }
            return hash;
        }

        private double cell(int column, int row) {
            int fromX = left + (right - left) * column / 9;
            int toX = Math.max(fromX + 1, left + (right - left) * (column + 1) / 9);
            int fromY = top + (bottom - top) * row / 8;
            int toY = Math.max(fromY + 1, top + (bottom - top) * (row + 1) / 8);
            long sum = 0;
            for (int y = fromY; y < toY; y++) {
                for (int x = fromX; x < toX; x++) {
                    sum += luma[y * stride + x];
                }
            }
            return (double) sum / ((toX - fromX) * (toY - fromY));
        }
    }
}
