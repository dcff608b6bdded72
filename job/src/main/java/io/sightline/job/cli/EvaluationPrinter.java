// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.sightline.toolchain.evaluate.DetectionAgreement;
import io.sightline.toolchain.evaluate.Evaluation;
import io.sightline.toolchain.evaluate.EvaluationSettings;
import io.sightline.toolchain.evaluate.LabelledImages;
import io.sightline.toolchain.evaluate.ObjectSize;
import io.sightline.toolchain.evaluate.PairedBootstrap;
import io.sightline.toolchain.evaluate.PairedBootstrap.Difference;
import io.sightline.toolchain.evaluate.PairedBootstrap.Verdict;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** Evaluations as a table for people, or as JSON. */
final class EvaluationPrinter {

    private final LabelledImages images;
    private final List<EvaluatedModel> rows;

    /** Of each row against the first, so that there is one less. */
    private final List<Difference> differences = new ArrayList<>();

    /** Likewise. */
    private final List<DetectionAgreement> agreements = new ArrayList<>();

    /** What {@code --json} prints; a value is null where nothing of its kind is to be found. */
    private record Document(String data, int images, int objects, List<Row> rows) {}

    private record Row(
            String model,
            String file,
            String sha256,
            String precision,
            String backend,
            int border,
            String interpolation,
            float confidence,
            float iou,
            int maxDetections,
            int counted,
            Double map,
            Double map50,
            Double map75,
            Double mapSmall,
            Double mapMedium,
            Double mapLarge,
            AgainstFirst againstFirst,
            List<Evaluation.OfClass> classes) {}

    private record AgainstFirst(
            double delta,
            double standardError,
            double low,
            double high,
            int scenes,
            int resamples,
            String verdict,
            int detections,
            int matched) {}

    /**
     * @param rows at least one, all of these images
     */
    EvaluationPrinter(LabelledImages images, List<EvaluatedModel> rows) {
        this.images = images;
        this.rows = rows;
        for (EvaluatedModel row : rows.subList(1, rows.size())) {
            differences.add(PairedBootstrap.difference(rows.get(0).evaluation(), row.evaluation()));
            agreements.add(DetectionAgreement.of(rows.get(0).evaluation(), row.evaluation()));
        }
    }

    void printTable(PrintStream out, boolean perClass) {
        EvaluationSettings settings = rows.get(0).settings();
        out.println(images);
        if (images.namesClasses()) {
            rows.stream().map(this::explainClasses).distinct().forEach(out::println);
        }
        print(
                out,
                "mAP as COCO defines it: scores above %s, NMS at IoU %s keeps %d, the best %d of an image count, over all its classes (pycocotools: of each class)",
                settings.nms().confidence(),
                settings.nms().iou(),
                settings.nms().maxDetections(),
                settings.maxDetections());
        out.println(
                "small, medium, large: mAP 50-95 of objects up to 32 x 32, up to 96 x 96, and above, in pixels of the image");
        String model = column("model", row -> row.spec().name());
        String file = column("file", EvaluationPrinter::fileName);
        out.println();
        print(
                out,
                "row  "
                        + model
                        + "  "
                        + file
                        + "  precision  backend      border  interpolation  mAP 50-95  mAP 50  mAP 75   small  medium   large",
                "model",
                "file");
        for (int i = 0; i < rows.size(); i++) {
            EvaluatedModel row = rows.get(i);
            Evaluation evaluation = row.evaluation();
            print(
                    out,
                    "%3d  "
                            + model
                            + "  "
                            + file
                            + "  %-9s  %-11s  %6d  %-13s  %9s  %6s  %6s  %6s  %6s  %6s",
                    i + 1,
                    row.spec().name(),
                    fileName(row),
                    row.spec().precision(),
                    row.backend(),
                    row.spec().border(),
                    interpolation(row),
                    digits(evaluation.map()),
                    digits(evaluation.map50()),
                    digits(evaluation.map75()),
                    digits(evaluation.map(ObjectSize.SMALL)),
                    digits(evaluation.map(ObjectSize.MEDIUM)),
                    digits(evaluation.map(ObjectSize.LARGE)));
        }
        if (!differences.isEmpty()) {
            out.println();
            print(
                    out,
                    "mAP 50-95 against row 1, with its 95%% interval over %d resamples of the %s, the same for both",
                    differences.get(0).resamples(),
                    differences.get(0).scenes() == differences.get(0).images()
                            ? "images"
                            : differences.get(0).scenes() + " scenes");
        }
        for (int i = 0; i < differences.size(); i++) {
            Difference difference = differences.get(i);
            print(
                    out,
                    "%3d  %+.4f  [%+.4f, %+.4f]  standard error %.4f  %s",
                    i + 2,
                    difference.delta(),
                    difference.low(),
                    difference.high(),
                    difference.standardError(),
                    explain(difference.verdict()));
        }
        printAgreements(out);
        if (perClass) {
            printClasses(out);
        }
    }

    /** A format, left-aligned and as wide as the widest. */
    private String column(String title, Function<EvaluatedModel, String> text) {
        int width = rows.stream().mapToInt(row -> text.apply(row).length()).max().orElseThrow();
        return "%-" + Math.max(width, title.length()) + "s";
    }

    private static String fileName(EvaluatedModel row) {
        return row.file().getFileName().toString();
    }

    private String explainClasses(EvaluatedModel row) {
        return images.unknownClass(row.spec().labels())
                .map(name -> "classes by their order: " + row.spec().name() + " knows no " + name)
                .orElse("classes by their names");
    }

    private void printAgreements(PrintStream out) {
        if (!agreements.isEmpty()) {
            out.println();
            print(
                    out,
                    "detections as in row 1: of either's with a score of %s or more, those that the other has too, at IoU %s and with a score within %s",
                    DetectionAgreement.LEAST_SCORE,
                    DetectionAgreement.LEAST_OVERLAP,
                    DetectionAgreement.MOST_DIFFERENCE);
        }
        for (int i = 0; i < agreements.size(); i++) {
            DetectionAgreement agreement = agreements.get(i);
            print(
                    out,
                    "%3d  matched %s  %d of %d",
                    i + 2,
                    digits(agreement.share()),
                    agreement.matched(),
                    agreement.detections());
        }
    }

    private void printClasses(PrintStream out) {
        for (int i = 0; i < rows.size(); i++) {
            List<Evaluation.OfClass> classes = rows.get(i).evaluation().classes();
            int width =
                    classes.stream().mapToInt(ofClass -> ofClass.label().length()).max().orElse(1);
            String label = "%-" + Math.max(width, "class".length()) + "s";
            out.println();
            print(out, "row %d", i + 1);
            print(out, label + "  objects  mAP 50-95  mAP 50", "class");
            for (Evaluation.OfClass ofClass : classes) {
                print(
                        out,
                        label + "  %7d  %9s  %6s",
                        ofClass.label(),
                        ofClass.objects(),
                        digits(ofClass.map()),
                        digits(ofClass.map50()));
            }
        }
    }

    private static String explain(Verdict verdict) {
        return switch (verdict) {
            case NOT_MOVED -> "does not move: at most " + PairedBootstrap.NOT_MOVED;
            case UNDECIDED -> "not told from chance: the interval does not exclude 0";
            case GAIN -> "gain: the interval lies above 0";
            case LOSS -> "loss: the interval lies below 0";
        };
    }

    void printJson(PrintStream out) throws IOException {
        List<Row> printed = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            EvaluatedModel row = rows.get(i);
            Evaluation evaluation = row.evaluation();
            EvaluationSettings settings = row.settings();
            printed.add(
                    new Row(
                            row.spec().name(),
                            row.file().toString(),
                            row.spec().sha256(),
                            row.spec().precision(),
                            row.backend(),
                            row.spec().border(),
                            interpolation(row),
                            settings.nms().confidence(),
                            settings.nms().iou(),
                            settings.nms().maxDetections(),
                            settings.maxDetections(),
                            number(evaluation.map()),
                            number(evaluation.map50()),
                            number(evaluation.map75()),
                            number(evaluation.map(ObjectSize.SMALL)),
                            number(evaluation.map(ObjectSize.MEDIUM)),
                            number(evaluation.map(ObjectSize.LARGE)),
                            i == 0
                                    ? null
                                    : againstFirst(differences.get(i - 1), agreements.get(i - 1)),
                            evaluation.classes()));
        }
        out.println(
                JsonMapper.builder()
                        .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                        .build()
                        .writeValueAsString(
                                new Document(
                                        images.toString(),
                                        images.size(),
                                        images.objects(),
                                        printed)));
    }

    private static AgainstFirst againstFirst(Difference difference, DetectionAgreement agreement) {
        return new AgainstFirst(
                difference.delta(),
                difference.standardError(),
                difference.low(),
                difference.high(),
                difference.scenes(),
                difference.resamples(),
                difference.verdict().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                agreement.detections(),
                agreement.matched());
    }

    private static String interpolation(EvaluatedModel row) {
        return row.settings().interpolation().name().toLowerCase(Locale.ROOT);
    }

    private static Double number(double value) {
        return Double.isNaN(value) ? null : value;
    }

    private static String digits(double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.4f", value);
    }

    private static void print(PrintStream out, String format, Object... values) {
        out.println(String.format(Locale.ROOT, format, values));
    }
}
