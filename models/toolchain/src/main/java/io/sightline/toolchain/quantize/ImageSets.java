// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.inference.ModelSpec;
import io.sightline.toolchain.Progress;
import io.sightline.toolchain.Sha256;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.calibrate.CalibrationImages;
import io.sightline.toolchain.calibrate.Pictures;
import io.sightline.toolchain.evaluate.LabelledImages;
import io.sightline.toolchain.report.QuantizeReport;
import io.sightline.vision.Interpolation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/**
 * The pictures of one quantisation: scales come from the first set, decisions from the second, and
 * what is claimed from the third, which nothing was fitted to.
 *
 * @param calibrate pictures to observe activations on
 * @param select labelled
 * @param report labelled
 * @param described for the report
 */
record ImageSets(
        List<Path> calibrate,
        LabelledImages select,
        LabelledImages report,
        List<QuantizeReport.ImageSet> described) {

    /**
     * Draws the sets; those of one dataset are disjoint.
     *
     * @throws ToolchainException if there are too few pictures, or one is in two sets
     */
    static ImageSets draw(
            QuantizeSettings.Images wanted,
            ModelSpec spec,
            Interpolation interpolation,
            Progress progress) {
        boolean selectOfReport =
                samePictures(wanted.select(), wanted.report())
                        && labels(wanted.select()).equals(labels(wanted.report()));
        boolean calibrateOfReport = samePictures(wanted.calibrate(), wanted.report());
        boolean calibrateOfSelect =
                !calibrateOfReport && samePictures(wanted.calibrate(), wanted.select());
        int calibrateCount = wanted.calibrate().count().orElseThrow();
        int selectCount = wanted.select().count().orElseThrow();
        LabelledImages reports = read(wanted.report());
        List<Integer> counts = new ArrayList<>();
        if (calibrateOfReport) {
            counts.add(calibrateCount);
        }
        if (selectOfReport) {
            counts.add(selectCount);
        }
        counts.add(reportCount(wanted.report(), reports.size(), counts));

        Deque<LabelledImages> drawn =
                new ArrayDeque<>(
                        reports.split(
                                wanted.seed(),
                                counts.stream().mapToInt(Integer::intValue).toArray()));
        Optional<LabelledImages> calibrate =
                calibrateOfReport ? Optional.of(drawn.remove()) : Optional.empty();
        LabelledImages select;
        if (selectOfReport) {
            select = drawn.remove();
        } else {
            LabelledImages selects = read(wanted.select());
            if (calibrateOfSelect) {
                List<LabelledImages> two =
                        selects.split(wanted.seed(), calibrateCount, selectCount);
                calibrate = Optional.of(two.get(0));
                select = two.get(1);
            } else {
                select = selects.subset(wanted.seed(), Math.min(selectCount, selects.size()));
            }
        }
        return check(
                wanted,
                calibrate
                        .map(LabelledImages::files)
                        .orElseGet(() -> pictures(wanted.calibrate(), wanted.seed())),
                select,
                drawn.remove(),
                spec,
                interpolation,
                progress);
    }

    /** What is asked for, or all that the other sets of the dataset leave. */
    private static int reportCount(QuantizeSettings.ImageSet set, int size, List<Integer> others) {
        int before = others.stream().mapToInt(Integer::intValue).sum();
        int count = set.count().orElse(Math.max(1, size - before));
        if (before + count > size) {
            throw new ToolchainException(
                    "images: %s holds %d pictures, but %d for the other sets and %d or more for the report are asked for: give smaller counts, or more pictures"
                            .formatted(set.path(), size, before, count));
        }
        return count;
    }

    private static boolean samePictures(
            QuantizeSettings.ImageSet one, QuantizeSettings.ImageSet other) {
        return real(LabelledImages.picturesOf(one.path()))
                .equals(real(LabelledImages.picturesOf(other.path())));
    }

    private static Path labels(QuantizeSettings.ImageSet set) {
        return real(set.labels().orElse(set.path().resolve("labels")));
    }

    /** One path for each file or folder, whatever links lead there. */
    private static Path real(Path path) {
        try {
            return path.toRealPath();
        } catch (IOException e) {
            // Reading it says what is wrong with it.
            return path.toAbsolutePath().normalize();
        }
    }

    private static LabelledImages read(QuantizeSettings.ImageSet set) {
        return set.labels().isPresent()
                ? LabelledImages.read(set.path(), set.labels().get())
                : LabelledImages.read(set.path());
    }

    private static List<Path> pictures(QuantizeSettings.ImageSet set, long seed) {
        List<Path> all =
                new ArrayList<>(LabelledImages.picturesIn(LabelledImages.picturesOf(set.path())));
        Collections.shuffle(all, new Random(seed));
        return all.subList(0, Math.min(all.size(), set.count().orElseThrow()));
    }

    private static ImageSets check(
            QuantizeSettings.Images wanted,
            List<Path> calibrate,
            LabelledImages drawn,
            LabelledImages report,
            ModelSpec spec,
            Interpolation interpolation,
            Progress progress) {
        Map<Path, String> reportSums = sums(report);
        Map<Path, String> selectSums = sums(drawn);
        Map<String, Path> others = new HashMap<>();
        reportSums.forEach((file, sum) -> others.put(sum, file));
        List<String> copies = new ArrayList<>();
        Set<Path> left = new HashSet<>();
        for (Path file : drawn.files()) {
            Path twin = others.putIfAbsent(selectSums.get(file), file);
            if (twin != null) {
                left.add(file);
                copies.add(
                        "%s is an exact copy of %s: left out"
                                .formatted(file.getFileName(), twin.getFileName()));
            }
        }
        if (left.size() == drawn.size()) {
            throw new ToolchainException(
                    "images: all %d pictures of the select set are copies of others in it or the report set: give others, for what is claimed must not be what was selected on"
                            .formatted(left.size()));
        }
        LabelledImages select = drawn.without(left);
        selectSums.keySet().removeAll(left);
        CalibrationImages usable;
        try (Pictures pictures = new Pictures(spec, interpolation)) {
            usable = CalibrationImages.check(calibrate, others, spec, pictures, progress);
        }
        return new ImageSets(
                usable.usable(),
                select,
                report,
                List.of(
                        new QuantizeReport.ImageSet(
                                "calibrate",
                                wanted.calibrate().path().toString(),
                                usable.sha256(),
                                usable.problems()),
                        new QuantizeReport.ImageSet(
                                "select",
                                wanted.select().path().toString(),
                                byName(selectSums),
                                copies),
                        new QuantizeReport.ImageSet(
                                "report",
                                wanted.report().path().toString(),
                                byName(reportSums),
                                List.of())));
    }

    private static Map<Path, String> sums(LabelledImages images) {
        Map<Path, String> sums = new LinkedHashMap<>();
        for (Path file : images.files()) {
            sums.put(file, Sha256.of(file));
        }
        return sums;
    }

    private static Map<String, String> byName(Map<Path, String> sums) {
        Map<String, String> named = new LinkedHashMap<>();
        sums.forEach((file, sum) -> named.put(file.getFileName().toString(), sum));
        return named;
    }
}
