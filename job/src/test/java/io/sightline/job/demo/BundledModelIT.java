// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.camera.simulated.FrameTruth;
import io.sightline.camera.simulated.Light;
import io.sightline.camera.simulated.Place;
import io.sightline.camera.simulated.Scene;
import io.sightline.camera.simulated.SceneSettings;
import io.sightline.events.DetectionEvent.DetectedObject;
import io.sightline.inference.InferenceBackend;
import io.sightline.job.ModelChoice;
import io.sightline.job.OptionTypes;
import io.sightline.toolchain.evaluate.PictureDetector;
import io.sightline.vision.Interpolation;
import io.sightline.vision.NmsSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** The bundled model on simulated scenes that it never saw: a fixed list of them. */
@Timeout(300)
class BundledModelIT {

    /** No model was trained on a seed from a million on. */
    private static final long FIRST_SEED = 9_100_001;

    private static final int OF_EACH_KIND = 10;
    private static final int WIDTH = 1280;
    private static final int HEIGHT = 720;

    /** Seconds; far enough apart that hardly anything is where it was. */
    private static final double[] MOMENTS = {2, 9};

    /** Confidence of what is expected to be found at other sizes too. */
    private static final float SURE = 0.6f;

    private record Seen(SceneSettings scene, FrameTruth truth, List<DetectedObject> found) {}

    @Test
    void shouldFindWhatIsInScenesItNeverSaw() throws Exception {
        ModelChoice model = new ModelChoice();
        OptionTypes.register(new CommandLine(model)).parseArgs();
        Map<String, Scoring> scorings = new TreeMap<>();
        List<InferenceBackend> backends =
                model.backendFactory(1).open(Runtime.getRuntime().availableProcessors());
        try {
            float confidence = model.nms(backends.get(0).spec()).confidence();
            for (String part : List.of("all", "night", "rain")) {
                scorings.put(part, new Scoring(backends.get(0).spec(), confidence));
            }
            for (Seen seen : look(model, backends)) {
                scorings.get("all").add(seen.truth(), seen.found());
                if (seen.scene().light() == Light.NIGHT) {
                    scorings.get("night").add(seen.truth(), seen.found());
                }
                if (seen.scene().rain()) {
                    scorings.get("rain").add(seen.truth(), seen.found());
                }
            }
        } finally {
            backends.forEach(InferenceBackend::close);
        }

        scorings.forEach(
                (part, scoring) -> System.out.println(part + " " + scoring.score().orElseThrow()));
        Score all = scorings.get("all").score().orElseThrow();
        assertThat(all.classes()).hasSize(6);
        assertThat(all.map50()).isGreaterThan(0.8);
        assertThat(all.classes())
                .allSatisfy(one -> assertThat(one.averagePrecision()).isGreaterThan(0.6));
        assertThat(scorings.get("night").score().orElseThrow().map50()).isGreaterThan(0.75);
        assertThat(scorings.get("rain").score().orElseThrow().map50()).isGreaterThan(0.75);
    }

    /**
     * Square, the letterbox scales as it does at 640×384: the network sees the same pixels, and
     * more gray. At the other sizes everything is smaller.
     */
    @ParameterizedTest
    @CsvSource({"640x640, 0.9", "416x416, 0.6", "384x640, 0.6"})
    void shouldFindTheSameAtOtherSizes(String size, double share) throws Exception {
        int there = 0;
        int again = 0;
        try (InferenceBackend usual = opened();
                InferenceBackend other = opened("--input-size=" + size);
                PictureDetector expected = detector(usual, SURE);
                PictureDetector found = detector(other, SURE / 2)) {
            for (SceneSettings settings : scenes().subList(0, 5)) {
                try (Scene scene = new Scene(settings)) {
                    scene.render(MOMENTS[0]);
                    byte[] picture = scene.jpeg(90);
                    List<DetectedObject> objects = found.detect(picture).objects();
                    for (DetectedObject object : expected.detect(picture).objects()) {
                        there++;
                        again += objects.stream().anyMatch(o -> same(o, object)) ? 1 : 0;
                    }
                }
            }
        }
        System.out.printf("%s: %d of %d objects again%n", size, again, there);
        assertThat(there).isGreaterThan(10);
        assertThat((double) again / there).isGreaterThan(share);
    }

    private static InferenceBackend opened(String... options) {
        ModelChoice model = new ModelChoice();
        OptionTypes.register(new CommandLine(model)).parseArgs(options);
        return model.backendFactory(1).open(1).get(0);
    }

    private static PictureDetector detector(InferenceBackend backend, float confidence) {
        return new PictureDetector(
                backend, Interpolation.LINEAR, NmsSettings.infer(confidence, backend.spec().iou()));
    }

    private static boolean same(DetectedObject a, DetectedObject b) {
        double width =
                Math.min(a.bbox().x() + a.bbox().width(), b.bbox().x() + b.bbox().width())
                        - Math.max(a.bbox().x(), b.bbox().x());
        double height =
                Math.min(a.bbox().y() + a.bbox().height(), b.bbox().y() + b.bbox().height())
                        - Math.max(a.bbox().y(), b.bbox().y());
        double shared = Math.max(0, width) * Math.max(0, height);
        double both = a.bbox().width() * a.bbox().height() + b.bbox().width() * b.bbox().height();
        return a.label().equals(b.label()) && shared / (both - shared) > 0.6;
    }

    private static List<SceneSettings> scenes() {
        List<SceneSettings> scenes = new ArrayList<>();
        for (int i = 0; i < OF_EACH_KIND; i++) {
            long seed = FIRST_SEED + 8L * i;
            scenes.add(scene(seed, Place.STREET, Light.DAY, false));
            scenes.add(scene(seed + 1, Place.STREET, Light.DUSK, false));
            scenes.add(scene(seed + 2, Place.STREET, Light.NIGHT, false));
            scenes.add(scene(seed + 3, Place.STREET, Light.DAY, true));
            scenes.add(scene(seed + 4, Place.HALL, Light.DAY, false));
        }
        return scenes;
    }

    private static SceneSettings scene(long seed, Place place, Light light, boolean rain) {
        return new SceneSettings(seed, WIDTH, HEIGHT, place, light, rain);
    }

    private static List<Seen> look(ModelChoice model, List<InferenceBackend> backends)
            throws Exception {
        List<SceneSettings> scenes = scenes();
        ExecutorService threads = Executors.newFixedThreadPool(backends.size());
        try {
            List<Future<List<Seen>>> shares = new ArrayList<>();
            for (int i = 0; i < backends.size(); i++) {
                int first = i;
                shares.add(
                        threads.submit(
                                () -> look(model, backends.get(first), scenes, first, backends)));
            }
            List<Seen> seen = new ArrayList<>();
            for (Future<List<Seen>> share : shares) {
                seen.addAll(share.get());
            }
            return seen;
        } finally {
            threads.shutdownNow();
        }
    }

    private static List<Seen> look(
            ModelChoice model,
            InferenceBackend backend,
            List<SceneSettings> scenes,
            int first,
            List<InferenceBackend> backends)
            throws Exception {
        List<Seen> seen = new ArrayList<>();
        float low = NmsSettings.eval().confidence();
        ModelChoice everything = model.withConfidence(low);
        try (PictureDetector detector =
                new PictureDetector(
                        backend, model.interpolation(), everything.nms(backend.spec()))) {
            for (int i = first; i < scenes.size(); i += backends.size()) {
                try (Scene scene = new Scene(scenes.get(i))) {
                    for (int moment = 0; moment < MOMENTS.length; moment++) {
                        scene.render(MOMENTS[moment]);
                        seen.add(
                                new Seen(
                                        scenes.get(i),
                                        new FrameTruth(
                                                "scene-" + i,
                                                0,
                                                moment,
                                                0,
                                                WIDTH,
                                                HEIGHT,
                                                scene.truth()),
                                        detector.detect(scene.jpeg(90)).objects()));
                    }
                }
            }
        }
        return seen;
    }
}
