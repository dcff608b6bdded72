// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.check;

import io.sightline.toolchain.check.CheckReport.Detector;
import io.sightline.toolchain.check.CheckReport.Layer;
import io.sightline.toolchain.check.CheckReport.Operator;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** A {@link CheckReport} for people. */
public final class CheckText {

    private static final int LAYERS = 10;
    private static final int NAME = 44;

    private final StringBuilder text = new StringBuilder();

    private CheckText() {}

    /** Several lines, the last one ended. */
    public static String of(CheckReport report) {
        CheckText text = new CheckText();
        text.head(report);
        text.layers(report);
        text.findings(report.findings());
        return text.text.toString();
    }

    private void head(CheckReport report) {
        field("file", report.file());
        field("sha256", report.sha256());
        field("size", String.format(Locale.ROOT, "%.2f MB", report.bytes() / 1e6));
        field(
                "written by",
                (report.producer().isEmpty() ? "unknown" : report.producer())
                        + ", opset "
                        + report.opsets().entrySet().stream()
                                .map(
                                        entry ->
                                                entry.getKey().equals("ai.onnx")
                                                        ? String.valueOf(entry.getValue())
                                                        : entry.getKey() + " " + entry.getValue())
                                .collect(Collectors.joining(", ")));
        report.inputs().forEach(port -> field("input", port.toString()));
        report.outputs().forEach(port -> field("output", port.toString()));
        field("detector", detector(report.detector()));
        field("quantised", report.quantisation());
        field(
                "operators",
                report.operators().stream()
                        .map(CheckText::operator)
                        .collect(Collectors.joining(", ")));
        field("parameters", String.format(Locale.ROOT, "%.3f M", report.parameters() / 1e6));
        if (report.shapesKnown()) {
            field(
                    "work",
                    String.format(
                            Locale.ROOT,
                            "%.2f GFLOPs a frame, in %d layers",
                            report.gflops(),
                            report.layers().size()));
            field(
                    "estimate",
                    String.format(
                            Locale.ROOT,
                            "layers %.1f ms float, %.1f ms INT8; the rest %.1f ms if nothing is fused (%s)",
                            report.cost().layerFloatMillis(),
                            report.cost().layerInt8Millis(),
                            report.cost().otherMillis(),
                            report.cost().core()));
        }
    }

    private static String operator(Operator operator) {
        return operator.count() + " " + operator.operator();
    }

    private static String detector(Detector detector) {
        if (detector == null) {
            return "no, see below";
        }
        return "%s, %dx%d, %s, batch %s, %d classes, border %d%s, %s"
                .formatted(
                        detector.layout(),
                        detector.width(),
                        detector.height(),
                        detector.bytesIn() ? "bytes" : "floats",
                        detector.batch() == 0 ? "free" : detector.batch(),
                        detector.classes(),
                        detector.border(),
                        detector.borderStated() ? "" : " (assumed)",
                        detector.suppress() ? "boxes still to suppress" : "nothing to suppress");
    }

    private void layers(CheckReport report) {
        if (!report.shapesKnown() || report.layers().isEmpty()) {
            return;
        }
        text.append('\n');
        row("layer", "kind", "output", "params", "GFLOPs", "float ms", "INT8 ms", "");
        report.layers().stream()
                .sorted(Comparator.comparingDouble(Layer::floatMillis).reversed())
                .limit(LAYERS)
                .forEach(
                        layer ->
                                row(
                                        layer.name(),
                                        layer.kind(),
                                        layer.output().stream()
                                                .skip(1)
                                                .map(String::valueOf)
                                                .collect(Collectors.joining("x")),
                                        String.valueOf(layer.parameters()),
                                        decimals(layer.macs() * 2 / 1e9),
                                        decimals(layer.floatMillis()),
                                        decimals(layer.int8Millis()),
                                        layer.memoryBound() ? "  memory" : ""));
        int others = report.layers().size() - LAYERS;
        row(
                others > 0 ? "all, with %d layers more".formatted(others) : "all",
                "",
                "",
                String.valueOf(report.parameters()),
                decimals(report.gflops()),
                decimals(report.cost().layerFloatMillis()),
                decimals(report.cost().layerInt8Millis()),
                "");
    }

    private static String decimals(double value) {
        return String.format(Locale.ROOT, "%.3f", value);
    }

    private void findings(List<Finding> findings) {
        text.append('\n');
        if (findings.isEmpty()) {
            text.append("nothing stands in its way\n");
        }
        for (Finding finding : findings) {
            text.append(
                    String.format(
                            Locale.ROOT,
                            "%-12s%s%s\n",
                            finding.about(),
                            finding.blocks() ? "NO: " : "",
                            finding.what()));
            if (!finding.remedy().isEmpty()) {
                text.append(String.format(Locale.ROOT, "%-12s-> %s\n", "", finding.remedy()));
            }
        }
    }

    private void field(String name, String value) {
        text.append(String.format(Locale.ROOT, "%-12s%s\n", name, value));
    }

    private void row(
            String name,
            String kind,
            String output,
            String parameters,
            String gflops,
            String floatMillis,
            String int8Millis,
            String bound) {
        String shown = name.length() > NAME ? "…" + name.substring(name.length() - NAME + 1) : name;
        text.append(
                        String.format(
                                        Locale.ROOT,
                                        "%-" + NAME + "s %-16s %14s %10s %8s %9s %9s%s",
                                        shown,
                                        kind,
                                        output,
                                        parameters,
                                        gflops,
                                        floatMillis,
                                        int8Millis,
                                        bound)
                                .stripTrailing())
                .append('\n');
    }
}
