// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SceneDatasetTest {

    @TempDir Path folder;

    @Test
    void shouldWritePicturesWithTheirLabelsAndTruth() throws Exception {
        List<Integer> done = new ArrayList<>();
        new SceneDataset(11, 4, 2, 0.5, 320, 192, 80).write(folder, done::add);
        assertThat(done).containsExactly(1, 2, 3, 4);

        List<String> lines = Files.readAllLines(folder.resolve("truth.jsonl"));
        assertThat(lines).hasSize(8);
        int counted = 0;
        int ignored = 0;
        for (int i = 0; i < 8; i++) {
            JsonNode frame = new ObjectMapper().readTree(lines.get(i));
            String name = "scene-" + (11 + i / 2) + "-" + i % 2;
            assertThat(frame.get("camera").asText() + "-" + frame.get("seq")).isEqualTo(name);
            assertThat(frame.get("captureTimeMillis").asLong()).isEqualTo(2000L * (i % 2));
            byte[] picture = Files.readAllBytes(folder.resolve("images/" + name + ".jpg"));
            List<String> labels = Files.readAllLines(folder.resolve("labels/" + name + ".txt"));
            List<String> rest = Files.readAllLines(folder.resolve("ignore/" + name + ".txt"));
            assertThat(labels.size() + rest.size()).isEqualTo(frame.get("objects").size());
            assertThat(labels).allMatch(line -> line.matches("[0-5]( [01]\\.\\d{6}){4}"));
            assertThat(rest).allMatch(line -> line.matches("[01]\\.\\d{6}( [01]\\.\\d{6}){3}"));
            counted += labels.size();
            ignored += rest.size();

            // The picture is the scene's at that moment.
            try (Scene scene = new Scene(SceneSettings.ofSeed(11 + i / 2, 320, 192))) {
                scene.render(2.0 * (i % 2));
                assertThat(picture).isEqualTo(scene.jpeg(80));
            }
        }
        assertThat(counted).isPositive();
        assertThat(ignored).isPositive();
    }

    @Test
    void shouldRefuseWhatCannotBeWritten() {
        assertThatThrownBy(() -> new SceneDataset(1, 0, 2, 0.5, 320, 192, 80))
                .hasMessage(
                        "dataset of 0 scenes with 2 frames at 0.5 frames/s: "
                                + "expected at least one of each, and a rate above 0");
        assertThatThrownBy(() -> new SceneDataset(1, 1, 1, 0.5, 320, 192, 0))
                .hasMessage("JPEG quality 0: expected 1 to 100");
        assertThatThrownBy(() -> new SceneDataset(1, 1, 1, 0.5, 32, 192, 80))
                .hasMessage("scene of 32x192 pixels: expected sides of 64 to 4096");
    }
}
