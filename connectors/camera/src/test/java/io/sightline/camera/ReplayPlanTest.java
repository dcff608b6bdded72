// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReplayPlanTest {

    @Test
    void shouldNumberCameras() {
        assertThat(ReplayPlan.numberedCameras(3)).containsExactly("cam-1", "cam-2", "cam-3");
    }

    @Test
    void shouldTakeCameraIdsUpToTheirLimit() {
        assertThat(plan(List.of("ä".repeat(127) + "x")).cameraIds()).hasSize(1);
    }

    @Test
    void shouldRefuseCameraIdsThatBreakTheContract() {
        assertThatThrownBy(() -> plan(List.of("")))
                .hasMessage("camera id is empty: expected a name");
        assertThatThrownBy(() -> plan(List.of("ä".repeat(128))))
                .hasMessage("camera id of 256 bytes: expected at most 255");
        assertThatThrownBy(() -> plan(List.of("\ud800"))).hasMessageContaining("UTF-8");
        assertThatThrownBy(() -> plan(List.of("a", "a"))).hasMessageContaining("'a' twice");
    }

    @Test
    void shouldRefusePartsThatDoNotFitTogether() {
        assertThatThrownBy(
                        () ->
                                new ReplayPlan(
                                        List.of(), List.of("a"), 95, Pace.asFilmed(), false, null))
                .hasMessageContaining("no video");
        assertThatThrownBy(
                        () ->
                                new ReplayPlan(
                                        List.of("v", "w"),
                                        List.of("a"),
                                        95,
                                        Pace.asFilmed(),
                                        false,
                                        null))
                .hasMessageContaining("2 videos but 1 cameras");
        assertThatThrownBy(
                        () ->
                                new ReplayPlan(
                                        List.of("v"),
                                        List.of("a"),
                                        95,
                                        Pace.asFilmed(),
                                        false,
                                        Duration.ZERO))
                .hasMessageContaining("duration");
        assertThatThrownBy(
                        () ->
                                new ReplayPlan(
                                        List.of("v"),
                                        List.of("a"),
                                        0,
                                        Pace.asFilmed(),
                                        false,
                                        null))
                .hasMessageContaining("JPEG quality 0");
    }

    private static ReplayPlan plan(List<String> cameraIds) {
        return new ReplayPlan(List.of("v"), cameraIds, 95, Pace.asFilmed(), false, null);
    }
}
