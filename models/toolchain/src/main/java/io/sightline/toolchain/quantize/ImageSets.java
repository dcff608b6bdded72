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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

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
        boolean selectOfReport = sameDataset(wanted.select(), wanted.report());
        boolean calibrateOfReport = sameDataset(wanted.calibrate(), wanted.report());
        boolean calibrateOfSelect =
                !calibrateOfReport && sameDataset(wanted.calibrate(), wanted.select());
        LabelledImages reports = read(wanted.report());
        LabelledImages selects = selectOfReport ? reports : read(wanted.select());
        int calibrateCount = wanted.calibrate().count().orElseThrow();
        int selectCount = wanted.select().count().orElseThrow();

        List<Path> calibrate;
        LabelledImages select;
        LabelledImages report;
        int before = (calibrateOfReport ? calibrateCount : 0) + (selectOfReport ? selectCount : 0);
        int reportCount = wanted.report().count().orElse(reports.size() - before);
        if (reportCount < 1 || before + reportCount > reports.size()) {
            throw new ToolchainException(
                    "images: %s holds %d pictures, but %d are asked for besides those of the report set: give fewer for calibrate and select, or more pictures"
                            .formatted(wanted.report().path(), reports.size(), before));
        }
        List<Integer> counts = new ArrayList<>();
        if (calibrateOfReport) {
            counts.add(calibrateCount);
        }
        if (selectOfReport) {
            counts.add(selectCount);
        }
        counts.add(reportCount);
        List<LabelledImages> drawn =
                reports.split(wanted.seed(), counts.stream().mapToInt(Integer::intValue).toArray());
        report = drawn.get(drawn.size() - 1);
        if (selectOfReport) {
            select = drawn.get(drawn.size() - 2);
            calibrate = calibrateOfReport ? drawn.get(0).files() : null;
        } else if (calibrateOfSelect) {
            List<LabelledImages> two = selects.split(wanted.seed(), calibrateCount, selectCount);
            calibrate = two.get(0).files();
            select = two.get(1);
        } else {
            select = selects.subset(wanted.seed(), Math.min(selectCount, selects.size()));
            calibrate = calibrateOfReport ? drawn.get(0).files() : null;
        }
        if (calibrate == null) {
            calibrate = pictures(wanted.calibrate(), wanted.seed());
        }
        return check(wanted, calibrate, select, report, spec, interpolation, progress);
    }

    private static boolean sameDataset(
            QuantizeSettings.ImageSet one, QuantizeSettings.ImageSet other) {
        return one.path()
                .toAbsolutePath()
                .normalize()
                .equals(other.path().toAbsolutePath().normalize());
    }

    private static LabelledImages read(QuantizeSettings.ImageSet set) {
        return set.labels().isPresent()
                ? LabelledImages.read(set.path(), set.labels().get())
                : LabelledImages.read(set.path());
    }

    private static List<Path> pictures(QuantizeSettings.ImageSet set, long seed) {
        Path inside = set.path().resolve("images");
        List<Path> all =
                new ArrayList<>(
                        LabelledImages.picturesIn(Files.isDirectory(inside) ? inside : set.path()));
        Collections.shuffle(all, new Random(seed));
        return all.subList(0, Math.min(all.size(), set.count().orElseThrow()));
    }

    private static ImageSets check(
            QuantizeSettings.Images wanted,
            List<Path> calibrate,
            LabelledImages select,
            LabelledImages report,
            ModelSpec spec,
            Interpolation interpolation,
            Progress progress) {
        Map<String, String> selectSums = sums(select);
        Map<String, String> reportSums = sums(report);
        Map<String, Path> others = new HashMap<>();
        for (Path file : report.files()) {
            others.put(Sha256.of(file), file);
        }
        for (Path file : select.files()) {
            Path twin = others.put(Sha256.of(file), file);
            if (twin != null) {
                throw new ToolchainException(
                        "images: %s of the select set is %s of the report set: what is claimed must not be what was selected on"
                                .formatted(file, twin));
            }
        }
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
                                "select", wanted.select().path().toString(), selectSums, List.of()),
                        new QuantizeReport.ImageSet(
                                "report",
                                wanted.report().path().toString(),
                                reportSums,
                                List.of())));
    }

    private static Map<String, String> sums(LabelledImages images) {
        Map<String, String> sums = new LinkedHashMap<>();
        for (Path file : images.files()) {
            sums.put(file.getFileName().toString(), Sha256.of(file));
        }
        return sums;
    }
}
