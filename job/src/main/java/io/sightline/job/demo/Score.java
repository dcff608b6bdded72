// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import java.util.List;
import java.util.Locale;

/**
 * How well what was detected agrees with what was there, at overlap 0.5. All shares are 0..1, and
 * NaN where there is nothing to divide by.
 *
 * @param map50 mean average precision, over the classes that occur
 * @param confidence detections above it are what an operator sees
 * @param precision of what an operator sees: detections that are right
 * @param recall of what an operator sees: objects that are found
 * @param objects how many there were, over all frames
 * @param classes those that occur
 */
public record Score(
        double map50,
        float confidence,
        double precision,
        double recall,
        long objects,
        List<OfClass> classes) {

    /** One class; see {@link Score}. */
    public record OfClass(
            String label, double averagePrecision, double precision, double recall, long objects) {}

    public Score {
        classes = List.copyOf(classes);
    }

    /** A table for people. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        text.append(
                String.format(
                        Locale.ROOT,
                        "%-22s %7s %10s %7s %8s%n",
                        "against the truth",
                        "mAP 50",
                        "precision",
                        "recall",
                        "objects"));
        row(text, "all", map50, precision, recall, objects);
        for (OfClass one : classes) {
            row(
                    text,
                    one.label(),
                    one.averagePrecision(),
                    one.precision(),
                    one.recall(),
                    one.objects());
        }
        return text.append(
                        String.format(
                                Locale.ROOT,
                                "precision and recall at confidence %.2f, all at overlap 0.5",
                                confidence))
                .toString();
    }

    private static void row(
            StringBuilder text,
            String label,
            double averagePrecision,
            double precision,
            double recall,
            long objects) {
        text.append(
                String.format(
                        Locale.ROOT,
                        "  %-20s %7s %10s %7s %8d%n",
                        label,
                        share(averagePrecision),
                        share(precision),
                        share(recall),
                        objects));
    }

    private static String share(double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.3f", value);
    }
}
