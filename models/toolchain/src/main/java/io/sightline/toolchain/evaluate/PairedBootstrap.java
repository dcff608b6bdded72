// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * How far a difference of mAP 50-95 between two evaluations of the same images can be trusted: the
 * images are drawn anew, with repetition, as many as there are, and both are evaluated on the same
 * draw; what the differences of many draws spread over is the interval (Efron and Tibshirani, An
 * Introduction to the Bootstrap, 1993, percentile interval). Pairing takes out what is hard or easy
 * about an image for both. Pictures of one scene, as their names tell ({@code NAME-17-3}), are
 * drawn together: they are nearly the same, and each for itself would make the interval too narrow.
 *
 * <p>Where many classes have a handful of objects, the interval need not be centred on the
 * difference: a class whose images are not drawn drops out, and one whose false alarms are not
 * drawn gains.
 */
public final class PairedBootstrap {

    /** Differences up to this are none, whatever their sign. */
    public static final double NOT_MOVED = 0.003;

    private static final int RESAMPLES = 1000;
    private static final double OUTSIDE = 0.025;

    /** What may be said of a difference. */
    public enum Verdict {
        /** The whole interval lies within {@link #NOT_MOVED} of 0. */
        NOT_MOVED,
        /** The interval does not exclude 0, nor differences that matter: too few pictures. */
        UNDECIDED,
        /** The other is better, and the interval lies above 0. */
        GAIN,
        /** The other is worse, and the interval lies below 0. */
        LOSS
    }

    /**
     * A difference of mAP 50-95, the other's less the baseline's.
     *
     * @param delta on the images as they are
     * @param standardError standard deviation over the resamples
     * @param low lower end of the 95% interval
     * @param high upper end of the 95% interval
     * @param images how many there are
     * @param scenes how many were drawn each time, the images of each together
     * @param resamples how often they were drawn
     */
    public record Difference(
            double delta,
            double standardError,
            double low,
            double high,
            int images,
            int scenes,
            int resamples) {

        public Verdict verdict() {
            if (low >= -NOT_MOVED && high <= NOT_MOVED) {
                return Verdict.NOT_MOVED;
            }
            if (delta > 0 && low > 0) {
                return Verdict.GAIN;
            }
            return delta < 0 && high < 0 ? Verdict.LOSS : Verdict.UNDECIDED;
        }
    }

    private PairedBootstrap() {}

    /** Of 1000 resamples, the same in every run. */
    public static Difference difference(Evaluation baseline, Evaluation other) {
        return difference(baseline, other, RESAMPLES, 0);
    }

    /**
     * @param resamples at least 2
     * @param seed of the draws
     * @throws IllegalArgumentException if the evaluations are of different images, or of images
     *     without objects
     */
    public static Difference difference(
            Evaluation baseline, Evaluation other, int resamples, long seed) {
        if (!baseline.images().equals(other.images())) {
            throw new IllegalArgumentException(
                    "evaluations of %d and %d images: expected the same images in the same order"
                            .formatted(baseline.images().size(), other.images().size()));
        }
        if (resamples < 2 || baseline.objects() == 0 || other.objects() == 0) {
            throw new IllegalArgumentException(
                    "%d resamples of images with %d objects: expected at least 2, and 1 object"
                            .formatted(resamples, baseline.objects()));
        }
        int images = baseline.images().size();
        int[][] scenes = scenes(baseline.images());
        Random random = new Random(seed);
        double[] deltas = new double[resamples];
        int[] weights = new int[images];
        for (int i = 0; i < resamples; i++) {
            // In few images a draw may hold no object at all, and then has no precision.
            do {
                Arrays.fill(weights, 0);
                for (int drawn = 0; drawn < scenes.length; drawn++) {
                    for (int image : scenes[random.nextInt(scenes.length)]) {
                        weights[image]++;
                    }
                }
                deltas[i] = other.map(weights) - baseline.map(weights);
            } while (Double.isNaN(deltas[i]));
        }
        Arrays.sort(deltas);
        return new Difference(
                other.map() - baseline.map(),
                standardDeviation(deltas),
                quantile(deltas, OUTSIDE),
                quantile(deltas, 1 - OUTSIDE),
                images,
                scenes.length,
                resamples);
    }

    /** The images of each; of a single scene each for itself, for nothing else could be drawn. */
    private static int[][] scenes(List<Path> images) {
        Map<Path, List<Integer>> scenes = new LinkedHashMap<>();
        for (int i = 0; i < images.size(); i++) {
            scenes.computeIfAbsent(LabelledImage.groupOf(images.get(i)), scene -> new ArrayList<>())
                    .add(i);
        }
        return scenes.size() == 1
                ? IntStream.range(0, images.size())
                        .mapToObj(image -> new int[] {image})
                        .toArray(int[][]::new)
                : scenes.values().stream()
                        .map(scene -> scene.stream().mapToInt(Integer::intValue).toArray())
                        .toArray(int[][]::new);
    }

    private static double standardDeviation(double[] values) {
        double mean = Arrays.stream(values).average().orElseThrow();
        double squares = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
        return Math.sqrt(squares / (values.length - 1));
    }

    /** Linear between the two neighbours. */
    private static double quantile(double[] sorted, double share) {
        double place = share * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }
}
