// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

/**
 * Detections of one class and size range in all images, by falling score, and which of them are
 * hits at which overlap threshold. Kept sorted, so that a resample of the images costs one pass.
 */
final class Ranking {

    /** Recalls 0, 0.01 … 1 at which precision is read. */
    private static final int RECALL_STEPS = 100;

    /** The image of each detection, by rank. */
    private final int[] image;

    /** [threshold]: ranks of hits, ascending. */
    private final int[][] hits;

    /** [threshold]: ranks of detections that neither count as right nor as wrong, ascending. */
    private final int[][] ignored;

    /** The image of each object to be found. */
    private final int[] truths;

    /** Takes the arrays over. */
    Ranking(int[] image, int[][] hits, int[][] ignored, int[] truths) {
        this.image = image;
        this.hits = hits;
        this.ignored = ignored;
        this.truths = truths;
    }

    int detections() {
        return image.length;
    }

    /**
     * Objects to be found.
     *
     * @param weights how often each image counts
     */
    int truths(int[] weights) {
        int sum = 0;
        for (int of : truths) {
            sum += weights[of];
        }
        return sum;
    }

    /**
     * Writes how many detections there are above each rank.
     *
     * @param weights how often each image counts
     * @param above at least one longer than {@link #detections()}
     */
    void countAbove(int[] weights, int[] above) {
        above[0] = 0;
        for (int rank = 0; rank < image.length; rank++) {
            above[rank + 1] = above[rank] + weights[image[rank]];
        }
    }

    /**
     * Precision, made monotone, read at 101 recalls. An image that counts several times has its
     * detections several times in a row; only the last of such a row matters, because precision
     * rises along a row of hits and is read at hits only.
     *
     * @param weights how often each image counts
     * @param above as {@link #countAbove} wrote it for the same weights
     * @param wanted {@link #truths} of the same weights, at least 1
     */
    double averagePrecision(int threshold, int[] weights, int[] above, int wanted) {
        int[] ranks = hits[threshold];
        int[] uncounted = ignored[threshold];
        int[] found = new int[ranks.length];
        double[] precision = new double[ranks.length];
        int sum = 0;
        int skipped = 0;
        int next = 0;
        for (int i = 0; i < ranks.length; i++) {
            int rank = ranks[i];
            while (next < uncounted.length && uncounted[next] < rank) {
                skipped += weights[image[uncounted[next++]]];
            }
            sum += weights[image[rank]];
            found[i] = sum;
            precision[i] = sum == 0 ? 0 : sum / (double) (above[rank + 1] - skipped);
        }
        double best = 0;
        double area = 0;
        for (int i = ranks.length - 1; i >= 0; i--) {
            best = Math.max(best, precision[i]);
            // Whole numbers: a recall that is reached exactly must not be missed by rounding.
            long reached = (long) RECALL_STEPS * found[i] / wanted;
            long before = i == 0 ? 0 : (long) RECALL_STEPS * found[i - 1] / wanted;
            area += best * (reached - before);
        }
        // Recall 0 is reached from the first.
        return (area + best) / (RECALL_STEPS + 1);
    }
}
