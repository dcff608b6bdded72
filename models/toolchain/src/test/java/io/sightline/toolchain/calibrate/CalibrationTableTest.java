// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.toolchain.ToolchainException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CalibrationTableTest {

    private static final String ROW =
            "{\"min\": -1, \"max\": 2, \"limit\": 2, \"zeros\": 3, \"first_bin\": 8000, \"counts\": [4, 5]}";

    @TempDir Path folder;

    private static Histogram random(long seed) {
        Random random = new Random(seed);
        float[] values = new float[3000];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % 7 == 0 ? 0 : (float) random.nextGaussian();
        }
        Histogram histogram = new Histogram();
        histogram.add(FloatBuffer.wrap(values));
        return histogram;
    }

    @Test
    void shouldComeBackFromItsFileAsItWas() throws Exception {
        Map<String, Histogram> tensors =
                Map.of(
                        "/model.0/conv/\"out\"",
                        random(1),
                        "b",
                        random(2),
                        "zeros",
                        zeros(),
                        "unseen",
                        new Histogram());
        CalibrationTable table =
                new CalibrationTable("ab".repeat(32), Map.of("one.jpg", "cd".repeat(32)), tensors);
        Path file = folder.resolve("table.json");
        table.write(file);
        CalibrationTable read = CalibrationTable.read(file);

        assertThat(read.graphSha256()).isEqualTo(table.graphSha256());
        assertThat(read.pictures()).isEqualTo(table.pictures());
        assertThat(read.tensors()).isEqualTo(table.tensors());
        for (String tensor : tensors.keySet()) {
            Histogram was = tensors.get(tensor);
            Histogram is = read.of(tensor);
            assertThat(is.min()).isEqualTo(was.min());
            assertThat(is.max()).isEqualTo(was.max());
            assertThat(is.limit()).isEqualTo(was.limit());
            assertThat(is.zeros()).isEqualTo(was.zeros());
            assertThat(is.counts()).isEqualTo(was.counts());
            for (RangeMethod.Kind kind : RangeMethod.Kind.values()) {
                RangeMethod method = new RangeMethod(kind, 99.9);
                assertThat(read.asymmetric(tensor, method, 255, Seen.AS_IS))
                        .isEqualTo(table.asymmetric(tensor, method, 255, Seen.AS_IS));
                assertThat(read.symmetric(tensor, method, 127))
                        .isEqualTo(table.symmetric(tensor, method, 127));
            }
        }
        read.write(folder.resolve("again.json"));
        assertThat(folder.resolve("again.json")).hasSameTextualContentAs(file);
        // A person reads a line a tensor.
        assertThat(Files.readAllLines(file)).hasSize(4 + tensors.size() + 1);
    }

    private static Histogram zeros() {
        Histogram histogram = new Histogram();
        histogram.add(FloatBuffer.wrap(new float[9]));
        return histogram;
    }

    @Test
    void shouldSayThatATensorIsOfAnotherGraph() {
        CalibrationTable table = new CalibrationTable("", Map.of(), Map.of("a", random(1)));
        assertThatThrownBy(() -> table.of("b"))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("'b'")
                .hasMessageContaining("calibrate");
    }

    private static String file(int bins, String row) {
        return "{\"graph_sha256\": \"ab\", \"bins\": %d, \"pictures\": {}, \"tensors\": {\"a\": %s}}"
                .formatted(bins, row);
    }

    @Test
    void shouldReadWhatAPersonMayHaveWritten() throws Exception {
        Path file = folder.resolve("hand.json");
        Files.writeString(file, file(Histogram.BINS, ROW));
        assertThat(CalibrationTable.read(file).of("a").total()).isEqualTo(12);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "{}",
                "not json",
                "{\"graph_sha256\": \"ab\", \"bins\": 8192, \"pictures\": {}}",
                "{\"graph_sha256\": \"ab\", \"bins\": 8192, \"tensors\": {}}",
                "{\"graph_sha256\": \"ab\", \"bins\": 8192, \"pictures\": {}, \"tensors\": {}, \"more\": 1}"
            })
    void shouldRefuseWhatIsNoTable(String content) throws Exception {
        Path file = folder.resolve("wrong.json");
        Files.writeString(file, content);
        assertThatThrownBy(() -> CalibrationTable.read(file))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("wrong.json")
                .hasMessageContaining("calibrate again");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "{}",
                "{\"min\": -1, \"max\": 2, \"limit\": 2, \"zeros\": 3, \"first_bin\": 8191, \"counts\": [4, 5]}",
                "{\"min\": -1, \"max\": 2, \"limit\": 2, \"zeros\": 3, \"first_bin\": -1, \"counts\": [4, 5]}",
                "{\"min\": -1, \"max\": 2, \"limit\": 2, \"zeros\": 3, \"first_bin\": 0}",
                "{\"min\": -1, \"max\": 2, \"limit\": 2, \"zeros\": -3, \"first_bin\": 0, \"counts\": []}",
                "{\"min\": -1, \"max\": 2, \"limit\": 2, \"zeros\": 3, \"first_bin\": 0, \"counts\": [-1]}",
                "{\"min\": -1, \"max\": 2, \"limit\": 1, \"zeros\": 3, \"first_bin\": 0, \"counts\": []}",
                "{\"min\": 3, \"max\": 2, \"limit\": 3, \"zeros\": 3, \"first_bin\": 0, \"counts\": []}",
                "{\"min\": \"NaN\", \"max\": 2, \"limit\": 3, \"zeros\": 3, \"first_bin\": 0, \"counts\": []}"
            })
    void shouldRefuseATensorWithoutAWholeHistogram(String row) throws Exception {
        Path file = folder.resolve("wrong.json");
        Files.writeString(file, file(Histogram.BINS, row));
        assertThatThrownBy(() -> CalibrationTable.read(file))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("wrong.json")
                .hasMessageContaining("'a'")
                .hasMessageContaining("calibrate again");
    }

    @Test
    void shouldRefuseHistogramsOfOtherBins() throws Exception {
        Path file = folder.resolve("other.json");
        Files.writeString(file, file(2048, ROW));
        assertThatThrownBy(() -> CalibrationTable.read(file))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("2048")
                .hasMessageContaining("8192");
    }

    @Test
    void shouldSayThatAFileIsNotThere() {
        assertThatThrownBy(() -> CalibrationTable.read(folder.resolve("none.json")))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("none.json");
    }
}
