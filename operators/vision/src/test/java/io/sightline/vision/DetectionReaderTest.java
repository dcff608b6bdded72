// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sightline.inference.FrameOutputException;
import io.sightline.inference.InferenceException;
import io.sightline.inference.OutputLayout;
import io.sightline.inference.RawOutput;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DetectionReaderTest {

    private static final NmsSettings BEST_CLASS = NmsSettings.infer(0.4f, 0.5f);
    private static final NmsSettings EVERY_CLASS = new NmsSettings(0.4f, 0.5f, 30_000, 300, true);

    @Test
    void shouldReadAnchorsWithObjectness() {
        float[] values = {
            20, 20, 10, 8, 0.875f, 0.5f, 0.75f, // 0.65625 of class 1
            50, 50, 10, 10, 0.5f, 0.7f, 0.1f, // 0.35: below the threshold
            40, 40, 10, 10, 0.4f, 1, 1, // objectness not above the threshold
        };

        Detections found =
                reader(OutputLayout.ANCHORS_OBJ, 2, BEST_CLASS).read(floats(values, 1, 3, 7), 0);

        assertThat(found).hasToString("Detections[1@0.65625 (15.0, 16.0, 25.0, 24.0)]");
    }

    @Test
    void shouldCountABoxForEveryClassWhenMeasuring() {
        float[] values = {20, 20, 10, 8, 1, 0.5f, 0.75f, 0.25f};

        Detections found =
                reader(OutputLayout.ANCHORS_OBJ, 3, EVERY_CLASS).read(floats(values, 1, 1, 8), 0);

        assertThat(found)
                .hasToString(
                        "Detections[1@0.75 (15.0, 16.0, 25.0, 24.0),"
                                + " 0@0.5 (15.0, 16.0, 25.0, 24.0)]");
    }

    @Test
    void shouldReadChannelsFirst() {
        float[] values = {
            20, 50, // cx
            20, 50, // cy
            10, 10, // w
            8, 10, // h
            0.5f, 0.3f, // class 0
            0.75f, 0.4f, // class 1
        };
        RawOutput output = floats(values, 1, 6, 2);

        assertThat(reader(OutputLayout.CHANNELS_FIRST, 2, BEST_CLASS).read(output, 0))
                .hasToString("Detections[1@0.75 (15.0, 16.0, 25.0, 24.0)]");
        assertThat(reader(OutputLayout.CHANNELS_FIRST, 2, EVERY_CLASS).read(output, 0))
                .hasToString(
                        "Detections[1@0.75 (15.0, 16.0, 25.0, 24.0),"
                                + " 0@0.5 (15.0, 16.0, 25.0, 24.0)]");
    }

    @Test
    void shouldReadPairsWithAndWithoutSuppression() {
        float[] values = {
            0, 0, 10, 10, 0.5f, 1,
            0, 0, 10, 11, 0.75f, 1,
            0, 0, 0, 0, 0, 0,
        };
        RawOutput output = floats(values, 1, 3, 6);

        assertThat(reader(OutputLayout.PAIRS, 2, BEST_CLASS).read(output, 0))
                .hasToString("Detections[1@0.75 (0.0, 0.0, 10.0, 11.0)]");
        assertThat(
                        new DetectionReader(
                                        TestModels.output(OutputLayout.PAIRS, 2, false), BEST_CLASS)
                                .read(output, 0))
                .hasToString(
                        "Detections[1@0.75 (0.0, 0.0, 10.0, 11.0),"
                                + " 1@0.5 (0.0, 0.0, 10.0, 10.0)]");
    }

    @Test
    void shouldCountABoxOfSeveralPairsForItsBestClass() {
        float[] values = {
            0, 0, 10, 10, 0.75f, 1, 30, 0, 40, 10, 0.7f, 1, 0, 0, 10, 10, 0.7f,
            0, // the first box again
            30, 0, 40, 10, 0.7f, 0, // equal: the first row stays
            30, 0, 40, 10.5f, 0.6f, 0, // nearly the second box: another one
            -0f, 0, 10, 10, 0.9f, 2, // the first box again, out of order
        };
        RawOutput output = floats(values, 1, 6, 6);

        assertThat(reader(OutputLayout.PAIRS, 3, BEST_CLASS).read(output, 0))
                .hasToString(
                        "Detections[2@0.9 (0.0, 0.0, 10.0, 10.0),"
                                + " 1@0.7 (30.0, 0.0, 40.0, 10.0),"
                                + " 0@0.6 (30.0, 0.0, 40.0, 10.5)]");
        // Two overlap in class 0.
        assertThat(reader(OutputLayout.PAIRS, 3, EVERY_CLASS).read(output, 0).size()).isEqualTo(5);
        assertThat(
                        new DetectionReader(
                                        TestModels.output(OutputLayout.PAIRS, 3, false), BEST_CLASS)
                                .read(output, 0)
                                .size())
                .isEqualTo(6);
    }

    @Property(tries = 50)
    void shouldReadAllPairsOfAFrameAsItReadsItsAnchors(
            @ForAll long seed, @ForAll @IntRange(min = 1, max = 200) int anchors) {
        int classes = 4;
        Random random = new Random(seed);
        float[] planes = new float[(4 + classes) * anchors];
        for (int i = 0; i < 4 * anchors; i++) {
            planes[i] = i < 2 * anchors ? random.nextInt(60) : 1 + random.nextInt(20);
        }
        List<float[]> pairs = new ArrayList<>();
        for (int c = 0; c < classes; c++) {
            for (int i = 0; i < anchors; i++) {
                // All different: which of two equal ones comes first is not told.
                float score = (random.nextInt(1 << 10) * 1024 + c * anchors + i) * 0x1p-20f;
                planes[(4 + c) * anchors + i] = score;
                // Boxes of two anchors would be one here, and two there.
                planes[2 * anchors + i] += c == 0 ? i / 1024f : 0;
                float width = planes[2 * anchors + i];
                float height = planes[3 * anchors + i];
                pairs.add(
                        new float[] {
                            planes[i] - width / 2,
                            planes[anchors + i] - height / 2,
                            planes[i] + width / 2,
                            planes[anchors + i] + height / 2,
                            score,
                            c
                        });
            }
        }
        pairs.sort((a, b) -> Float.compare(b[4], a[4]));
        float[] pairValues = new float[6 * pairs.size()];
        for (int i = 0; i < pairs.size(); i++) {
            System.arraycopy(pairs.get(i), 0, pairValues, 6 * i, 6);
        }
        String expected =
                reader(OutputLayout.CHANNELS_FIRST, classes, BEST_CLASS)
                        .read(floats(planes, 1, 4 + classes, anchors), 0)
                        .toString();

        assertThat(
                        reader(OutputLayout.PAIRS, classes, BEST_CLASS)
                                .read(floats(pairValues, 1, pairs.size(), 6), 0))
                .hasToString(expected);
    }

    @Test
    void shouldReadEndToEndOutputsUpToTheCount() {
        RawOutput output = end2end(2, new float[] {0.75f, 0.5f, 0.9f}, new int[] {1, 0, 1});

        assertThat(reader(OutputLayout.END2END, 2, BEST_CLASS).read(output, 0))
                .hasToString(
                        "Detections[1@0.75 (0.0, 0.0, 5.0, 5.0),"
                                + " 0@0.5 (10.0, 10.0, 15.0, 15.0)]");
    }

    @Test
    void shouldReadTheFrameAskedFor() {
        float[] values = new float[3 * 6];
        System.arraycopy(new float[] {1, 2, 3, 4, 0.5f, 0}, 0, values, 6, 6);
        RawOutput output = floats(values, 3, 1, 6);
        DetectionReader reader = reader(OutputLayout.PAIRS, 1, BEST_CLASS);

        assertThat(reader.read(output, 0).size()).isZero();
        assertThat(reader.read(output, 1)).hasToString("Detections[0@0.5 (1.0, 2.0, 3.0, 4.0)]");
        assertThat(reader.read(output, 2).size()).isZero();
    }

    @Property(tries = 100)
    void shouldFindTheSameInEveryLayout(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 120) int anchors,
            @ForAll @IntRange(min = 1, max = 9) int classes,
            @ForAll boolean everyClass) {
        Random random = new Random(seed);
        float[] anchorsObj = new float[anchors * (5 + classes)];
        float[] channelsFirst = new float[anchors * (4 + classes)];
        List<float[]> pairs = new ArrayList<>();
        for (int i = 0; i < anchors; i++) {
            float[] row = new float[5 + classes];
            // Halves: corners are then exact, however they are computed.
            row[0] = 20 + random.nextInt(60) / 2f;
            row[1] = 20 + random.nextInt(60) / 2f;
            row[2] = 1 + random.nextInt(20);
            row[3] = 1 + random.nextInt(20);
            row[4] = 1;
            int best = 0;
            for (int c = 0; c < classes; c++) {
                row[5 + c] = random.nextInt(900) / 1000f + (i * classes + c) * 1e-7f;
                best = row[5 + c] > row[5 + best] ? c : best;
            }
            System.arraycopy(row, 0, anchorsObj, i * row.length, row.length);
            for (int k = 0; k < 4 + classes; k++) {
                channelsFirst[k * anchors + i] = row[k < 4 ? k : k + 1];
            }
            for (int c = 0; c < classes; c++) {
                if (everyClass || c == best) {
                    pairs.add(
                            new float[] {
                                row[0] - row[2] / 2,
                                row[1] - row[3] / 2,
                                row[0] + row[2] / 2,
                                row[1] + row[3] / 2,
                                row[5 + c],
                                c
                            });
                }
            }
        }
        float[] pairValues = new float[pairs.size() * 6];
        for (int i = 0; i < pairs.size(); i++) {
            System.arraycopy(pairs.get(i), 0, pairValues, 6 * i, 6);
        }
        NmsSettings settings = everyClass ? EVERY_CLASS : BEST_CLASS;

        String expected =
                reader(OutputLayout.ANCHORS_OBJ, classes, settings)
                        .read(floats(anchorsObj, 1, anchors, 5 + classes), 0)
                        .toString();

        assertThat(
                        reader(OutputLayout.CHANNELS_FIRST, classes, settings)
                                .read(floats(channelsFirst, 1, 4 + classes, anchors), 0))
                .hasToString(expected);
        assertThat(
                        reader(OutputLayout.PAIRS, classes, settings)
                                .read(floats(pairValues, 1, pairs.size(), 6), 0))
                .hasToString(expected);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6})
    void shouldNotTakeNotANumberForAnEmptyScene(int place) {
        float[] good = {20, 20, 10, 8, 0.9f, 0.8f, 0.7f};
        float[] values = Arrays.copyOf(good, 14);
        System.arraycopy(good, 0, values, 7, 7);
        values[7 + place] = Float.NaN;
        DetectionReader reader = reader(OutputLayout.ANCHORS_OBJ, 2, BEST_CLASS);

        assertThatExceptionOfType(FrameOutputException.class)
                .isThrownBy(() -> reader.read(floats(values, 1, 2, 7), 0))
                .withMessageContaining("output 'out', frame 0 of the batch, row 1")
                .withMessageContaining("NaN");
    }

    @Test
    void shouldNotTakeNotANumberForAnEmptySceneInAnyLayout() {
        float[] nan = new float[24];
        Arrays.fill(nan, Float.NaN);

        assertThatExceptionOfType(FrameOutputException.class)
                .isThrownBy(
                        () ->
                                reader(OutputLayout.CHANNELS_FIRST, 2, EVERY_CLASS)
                                        .read(floats(nan, 1, 6, 4), 0));
        assertThatExceptionOfType(FrameOutputException.class)
                .isThrownBy(
                        () ->
                                reader(OutputLayout.CHANNELS_FIRST, 2, BEST_CLASS)
                                        .read(floats(nan, 1, 6, 4), 0));
        assertThatExceptionOfType(FrameOutputException.class)
                .isThrownBy(
                        () ->
                                reader(OutputLayout.PAIRS, 2, BEST_CLASS)
                                        .read(floats(nan, 1, 4, 6), 0));
        assertThatExceptionOfType(FrameOutputException.class)
                .isThrownBy(
                        () ->
                                reader(OutputLayout.END2END, 2, BEST_CLASS)
                                        .read(
                                                end2end(
                                                        1,
                                                        new float[] {Float.NaN, 0, 0},
                                                        new int[3]),
                                                0));
    }

    @Test
    void shouldRefuseAnInfiniteBoxOrScore() {
        DetectionReader reader = reader(OutputLayout.PAIRS, 1, BEST_CLASS);

        assertThatExceptionOfType(FrameOutputException.class)
                .isThrownBy(
                        () ->
                                reader.read(
                                        floats(
                                                new float[] {
                                                    0, 0, Float.POSITIVE_INFINITY, 5, 0.9f, 0
                                                },
                                                1,
                                                1,
                                                6),
                                        0))
                .withMessageContaining("expected finite coordinates");
        assertThatExceptionOfType(FrameOutputException.class)
                .isThrownBy(
                        () ->
                                reader.read(
                                        floats(
                                                new float[] {
                                                    0, 0, 5, 5, Float.POSITIVE_INFINITY, 0
                                                },
                                                1,
                                                1,
                                                6),
                                        0))
                .withMessageContaining("score Infinity");
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void shouldRefuseAClassThatIsNoNumber(float classId) {
        float[] values = {0, 0, 5, 5, 0.9f, classId};

        assertThatExceptionOfType(FrameOutputException.class)
                .isThrownBy(
                        () ->
                                reader(OutputLayout.PAIRS, 2, BEST_CLASS)
                                        .read(floats(values, 1, 1, 6), 0))
                .withMessageContaining("output 'out', frame 0 of the batch, row 0")
                .withMessageContaining("class " + classId + ", expected 0 to 1");
    }

    @Test
    void shouldRefuseFloatsForCountsAndClasses() {
        RawOutput good = end2end(1, new float[3], new int[3]);
        for (int index : new int[] {0, 3}) {
            List<RawOutput.Tensor> tensors = new ArrayList<>(good.tensors());
            RawOutput.Tensor replaced = tensors.get(index);
            tensors.set(index, tensor(replaced.name(), new float[3], replaced.shape()));

            assertThatExceptionOfType(InferenceException.class)
                    .isThrownBy(
                            () ->
                                    reader(OutputLayout.END2END, 2, BEST_CLASS)
                                            .read(new RawOutput(tensors), 0))
                    .withMessage(
                            "output '"
                                    + replaced.name()
                                    + "' holds floats: expected int32 or int64");
        }
    }

    @Test
    void shouldNameShapesThatDoNotFit() {
        RawOutput.Tensor count = end2end(1, new float[3], new int[3]).tensors().get(0);
        assertThatExceptionOfType(InferenceException.class)
                .isThrownBy(
                        () ->
                                reader(OutputLayout.ANCHORS_OBJ, 6, BEST_CLASS)
                                        .read(floats(new float[170], 1, 2, 85), 0))
                .withMessageContaining("output 'out' has shape [1, 2, 85]")
                .withMessageContaining("anchors-obj with 6 labels expects [at least 1, any, 11]");
        assertThatExceptionOfType(InferenceException.class)
                .isThrownBy(
                        () ->
                                reader(OutputLayout.PAIRS, 6, BEST_CLASS)
                                        .read(floats(new float[6], 1, 1, 6), 1))
                .withMessageContaining("expects [at least 2, any, 6]");
        assertThatExceptionOfType(InferenceException.class)
                .isThrownBy(
                        () ->
                                reader(OutputLayout.END2END, 6, BEST_CLASS)
                                        .read(new RawOutput(List.of(count)), 0))
                .withMessageContaining("gives 1 outputs: end2end expects at least 2");
    }

    @Test
    void shouldRefuseClassesWithoutALabel() {
        float[] values = {0, 0, 5, 5, 0.9f, 2};

        assertThatExceptionOfType(InferenceException.class)
                .isThrownBy(
                        () ->
                                reader(OutputLayout.PAIRS, 2, BEST_CLASS)
                                        .read(floats(values, 1, 1, 6), 0))
                .withMessageContaining("class 2, expected 0 to 1");
    }

    @Test
    void shouldRefuseACountThatTheRowsDoNotHold() {
        assertThatExceptionOfType(InferenceException.class)
                .isThrownBy(
                        () ->
                                reader(OutputLayout.END2END, 2, BEST_CLASS)
                                        .read(end2end(4, new float[3], new int[3]), 0))
                .withMessageContaining("count 4, expected 0 to 3");
    }

    private static DetectionReader reader(OutputLayout layout, int classes, NmsSettings settings) {
        return new DetectionReader(TestModels.output(layout, classes, true), settings);
    }

    private static RawOutput floats(float[] values, int... shape) {
        return new RawOutput(List.of(tensor("out", values, shape)));
    }

    private static RawOutput.Tensor tensor(String name, float[] values, int... shape) {
        return new RawOutput.Tensor(name, shape, FloatBuffer.wrap(values), null);
    }

    /** Three rows, whose boxes are 5x5 at 0, 10 and 20. */
    private static RawOutput end2end(int count, float[] scores, int[] classIds) {
        float[] boxes = {0, 0, 5, 5, 10, 10, 15, 15, 20, 20, 25, 25};
        return new RawOutput(
                List.of(
                        new RawOutput.Tensor(
                                "num_dets",
                                new int[] {1, 1},
                                null,
                                IntBuffer.wrap(new int[] {count})),
                        tensor("det_boxes", boxes, 1, 3, 4),
                        tensor("det_scores", scores, 1, 3),
                        new RawOutput.Tensor(
                                "det_classes", new int[] {1, 3}, null, IntBuffer.wrap(classIds))));
    }
}
