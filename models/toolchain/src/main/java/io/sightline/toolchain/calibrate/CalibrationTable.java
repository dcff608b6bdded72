// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.calibrate;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.sightline.toolchain.ToolchainException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What the tensors of a network held while it looked at the calibration pictures: one table, from
 * which the scales of every target are chosen. Kept as JSON that a person can read.
 */
public final class CalibrationTable {

    private final String graphSha256;
    private final Map<String, String> pictures;
    private final Map<String, Histogram> tensors;
    private final Map<List<Object>, Range> ranges = new ConcurrentHashMap<>();

    /**
     * @param graphSha256 of the float graph that was calibrated
     * @param pictures file name to sha256
     * @param tensors by name
     */
    public CalibrationTable(
            String graphSha256, Map<String, String> pictures, Map<String, Histogram> tensors) {
        this.graphSha256 = graphSha256;
        this.pictures = new LinkedHashMap<>(pictures);
        this.tensors = new TreeMap<>(tensors);
    }

    public String graphSha256() {
        return graphSha256;
    }

    /** File name to sha256. */
    public Map<String, String> pictures() {
        return Map.copyOf(pictures);
    }

    public Set<String> tensors() {
        return Set.copyOf(tensors.keySet());
    }

    /**
     * @throws ToolchainException if the tensor was not calibrated
     */
    public Histogram of(String tensor) {
        Histogram histogram = tensors.get(tensor);
        if (histogram == null) {
            throw new ToolchainException(
                    "calibration holds no tensor '"
                            + tensor
                            + "': it is of another graph: calibrate this one");
        }
        return histogram;
    }

    /** The range of a tensor for numbers with a zero point; chosen once, however often asked. */
    public Range asymmetric(String tensor, RangeMethod method, int steps, Seen seen) {
        return ranges.computeIfAbsent(
                List.of(tensor, method, steps, seen),
                key -> method.asymmetric(of(tensor), steps, seen));
    }

    /** The range of a tensor for numbers around zero; chosen once, however often asked. */
    public Range symmetric(String tensor, RangeMethod method, int steps) {
        return ranges.computeIfAbsent(
                List.of(tensor, method, steps),
                key -> {
                    double amax = method.symmetric(of(tensor), steps);
                    return new Range(-amax, amax);
                });
    }

    /** A line of the file; empty bins at both ends are left out. */
    private record Row(
            double min,
            double max,
            double limit,
            long zeros,
            @JsonProperty("first_bin") int firstBin,
            List<Long> counts) {

        static Row of(Histogram histogram) {
            long[] counts = histogram.counts();
            int first = 0;
            int end = counts.length;
            while (first < end && counts[first] == 0) {
                first++;
            }
            while (end > first && counts[end - 1] == 0) {
                end--;
            }
            return new Row(
                    histogram.min(),
                    histogram.max(),
                    histogram.limit(),
                    histogram.zeros(),
                    first,
                    Arrays.stream(counts, first, end).boxed().toList());
        }

        Histogram toHistogram(String tensor) throws IOException {
            if (!(min <= max && Double.isFinite(limit) && limit >= Math.max(-min, max))
                    || zeros < 0
                    || firstBin < 0
                    || counts == null
                    || firstBin > Histogram.BINS - counts.size()
                    || counts.stream().anyMatch(count -> count == null || count < 0)) {
                throw new IOException("tensor '" + tensor + "' has no whole histogram");
            }
            long[] all = new long[Histogram.BINS];
            for (int i = 0; i < counts.size(); i++) {
                all[firstBin + i] = counts.get(i);
            }
            return new Histogram(limit, min, max, zeros, all);
        }
    }

    private record File(
            @JsonProperty("graph_sha256") String graphSha256,
            int bins,
            Map<String, String> pictures,
            Map<String, Row> tensors) {}

    /** Writes the table as JSON. */
    public void write(Path file) {
        Map<String, Row> rows = new TreeMap<>();
        tensors.forEach((name, histogram) -> rows.put(name, Row.of(histogram)));
        try {
            // One line a tensor: histograms would otherwise fill the screen.
            StringBuilder text = new StringBuilder();
            JsonMapper mapper = new JsonMapper();
            text.append("{\"graph_sha256\": ").append(mapper.writeValueAsString(graphSha256));
            text.append(",\n\"bins\": ").append(Histogram.BINS);
            text.append(",\n\"pictures\": ").append(mapper.writeValueAsString(pictures));
            text.append(",\n\"tensors\": {");
            String separator = "\n";
            for (Map.Entry<String, Row> row : rows.entrySet()) {
                text.append(separator)
                        .append(mapper.writeValueAsString(row.getKey()))
                        .append(": ")
                        .append(mapper.writeValueAsString(row.getValue()));
                separator = ",\n";
            }
            Files.writeString(file, text.append("\n}}\n"));
        } catch (IOException e) {
            throw new ToolchainException(file + ": cannot be written: " + e, e);
        }
    }

    /**
     * @throws ToolchainException if the file is absent or no calibration table
     */
    public static CalibrationTable read(Path file) {
        try {
            File content = new JsonMapper().readValue(Files.readAllBytes(file), File.class);
            if (content == null
                    || content.graphSha256() == null
                    || content.pictures() == null
                    || content.tensors() == null) {
                throw new IOException("graph_sha256, pictures or tensors are missing");
            }
            if (content.bins() != Histogram.BINS) {
                throw new ToolchainException(
                        "%s: has histograms of %d bins, expected %d: calibrate again"
                                .formatted(file, content.bins(), Histogram.BINS));
            }
            Map<String, Histogram> tensors = new TreeMap<>();
            for (Map.Entry<String, Row> row : content.tensors().entrySet()) {
                if (row.getValue() == null) {
                    throw new IOException("tensor '" + row.getKey() + "' has no histogram");
                }
                tensors.put(row.getKey(), row.getValue().toHistogram(row.getKey()));
            }
            return new CalibrationTable(content.graphSha256(), content.pictures(), tensors);
        } catch (NoSuchFileException e) {
            throw new ToolchainException(file + ": no such file: expected a calibration table", e);
        } catch (IOException e) {
            String problem =
                    e instanceof JsonProcessingException json
                            ? json.getOriginalMessage()
                            : e.getMessage();
            throw new ToolchainException(
                    "%s: is no calibration table (%s): calibrate again"
                            .formatted(file, problem.lines().findFirst().orElse("")),
                    e);
        }
    }
}
