// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.imageio.ImageIO;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SceneTest {

    private static final int WIDTH = 256;
    private static final int HEIGHT = 160;

    @ParameterizedTest
    @CsvSource({
        "1, STREET, DAY, false",
        "2, STREET, NIGHT, false",
        "3, STREET, DUSK, true",
        "4, HALL, DAY, false",
        "5, HALL, NIGHT, false"
    })
    void shouldGiveTheSamePictureForTheSameSettingsAndTimeInAnyOrder(
            long seed, Place place, Light light, boolean rain) {
        SceneSettings settings = new SceneSettings(seed, WIDTH, HEIGHT, place, light, rain);
        try (Scene one = new Scene(settings);
                Scene other = new Scene(settings)) {
            one.render(1.5);
            byte[] picture = one.bgr().clone();
            List<TrueObject> truth = one.truth();
            byte[] jpeg = one.jpeg(90);
            other.render(7);
            assertThat(other.bgr()).isNotEqualTo(picture);
            other.render(0.25);
            other.render(1.5);
            assertThat(other.bgr()).isEqualTo(picture);
            assertThat(other.truth()).isEqualTo(truth);
            assertThat(other.jpeg(90)).isEqualTo(jpeg);
        }
    }

    @Test
    void shouldGiveNeighbouringSeedsDifferentScenes() {
        Set<List<TrueObject>> truths = new HashSet<>();
        for (int seed = 0; seed < 10; seed++) {
            try (Scene scene = street(seed)) {
                scene.render(0);
                truths.add(scene.truth());
            }
        }
        assertThat(truths).hasSize(10);
    }

    @Property(tries = 25)
    void shouldKeepTheTruthWithinThePicture(
            @ForAll long seed, @ForAll @DoubleRange(min = 0, max = 1000) double seconds) {
        SceneSettings settings = SceneSettings.ofSeed(seed, WIDTH, HEIGHT);
        try (Scene scene = new Scene(settings)) {
            scene.render(seconds);
            Set<Integer> ids = new HashSet<>();
            for (TrueObject object : scene.truth()) {
                assertThat(object.x1()).isGreaterThanOrEqualTo(0).isLessThan(object.x2());
                assertThat(object.y1()).isGreaterThanOrEqualTo(0).isLessThan(object.y2());
                assertThat(object.x2()).isLessThanOrEqualTo(WIDTH);
                assertThat(object.y2()).isLessThanOrEqualTo(HEIGHT);
                assertThat(object.occluded()).isBetween(0.0, 1.0);
                assertThat(object.outside()).isBetween(0.0, 1.0);
                assertThat(ids.add(object.id())).isTrue();
            }
        }
    }

    @Test
    void shouldShowAllClassesHiddenAndCutOnes() {
        Set<ObjectClass> seen = EnumSet.noneOf(ObjectClass.class);
        boolean hidden = false;
        boolean cut = false;
        boolean whole = false;
        for (int seed = 0; seed < 30; seed++) {
            try (Scene scene = street(seed)) {
                scene.render(0);
                for (TrueObject object : scene.truth()) {
                    if (object.counts(1)) {
                        seen.add(object.objectClass());
                    }
                    hidden |= object.occluded() > 0.3 && object.occluded() < 0.9;
                    cut |= object.outside() > 0.3 && object.outside() < 0.9;
                    whole |= object.occluded() == 0 && object.outside() == 0;
                }
            }
        }
        assertThat(seen).containsExactlyInAnyOrder(ObjectClass.values());
        assertThat(hidden).isTrue();
        assertThat(cut).isTrue();
        assertThat(whole).isTrue();
    }

    @Test
    void shouldMoveObjectsLittleFromFrameToFrameUnderOneId() {
        int followed = 0;
        for (int seed = 40; seed < 50; seed++) {
            try (Scene scene = street(seed)) {
                scene.render(2);
                Map<Integer, TrueObject> before = byId(scene.truth());
                scene.render(2.04);
                for (TrueObject after : scene.truth()) {
                    TrueObject old = before.get(after.id());
                    if (old != null && whole(old) && whole(after)) {
                        followed++;
                        assertThat(after.objectClass()).isEqualTo(old.objectClass());
                        double size = Math.max(old.x2() - old.x1(), old.y2() - old.y1());
                        assertThat(Math.abs(after.x1() - old.x1())).isLessThan(4 + 0.5 * size);
                        assertThat(Math.abs(after.y2() - old.y2())).isLessThan(4 + 0.5 * size);
                    }
                }
            }
        }
        assertThat(followed).isGreaterThan(50);
    }

    private static boolean whole(TrueObject object) {
        return object.occluded() == 0 && object.outside() == 0;
    }

    private static Map<Integer, TrueObject> byId(List<TrueObject> objects) {
        Map<Integer, TrueObject> byId = new HashMap<>();
        objects.forEach(object -> byId.put(object.id(), object));
        return byId;
    }

    @ParameterizedTest
    @CsvSource({"64, 64", "333, 201", "640, 384", "200, 640"})
    void shouldEncodePicturesOfAnySize(int width, int height) throws Exception {
        SceneSettings settings = SceneSettings.ofSeed(7, width, height);
        try (Scene scene = new Scene(settings)) {
            scene.render(0);
            BufferedImage picture = ImageIO.read(new ByteArrayInputStream(scene.jpeg(90)));
            assertThat(picture.getWidth()).isEqualTo(width);
            assertThat(picture.getHeight()).isEqualTo(height);
            assertThat(scene.bgr()).hasSize(3 * width * height);
        }
    }

    @Test
    void shouldRefuseWhatCannotBeAScene() {
        assertThatThrownBy(() -> SceneSettings.ofSeed(1, 10, 720))
                .hasMessage("scene of 10x720 pixels: expected sides of 64 to 4096");
        assertThatThrownBy(() -> new SceneSettings(1, 640, 384, Place.HALL, Light.DAY, true))
                .hasMessage("scene: rain in a hall: expected a street");
    }

    private static Scene street(long seed) {
        return new Scene(new SceneSettings(seed, WIDTH, HEIGHT, Place.STREET, Light.DAY, false));
    }
}
