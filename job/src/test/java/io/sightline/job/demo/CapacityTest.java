// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.InferenceException;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.testing.TestModels;
import io.sightline.job.ModelChoice;
import io.sightline.job.OptionTypes;
import io.sightline.vision.NativeMemory;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class CapacityTest {

    private static final Duration SHORT = Duration.ofMillis(1);

    @TempDir Path folder;

    private Capacity open() {
        Path model = TestModels.colourDetector(folder, 64, 64, 1, InputFormat.BYTES_NHWC_BGR);
        ModelChoice choice = new ModelChoice();
        OptionTypes.register(new CommandLine(choice)).parseArgs("--model=" + model);
        return Capacity.open(choice);
    }

    @Test
    void shouldCountFramesHoweverShortItLooksAndKeepNoPicture() throws Exception {
        ByteArrayOutputStream jpeg = new ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(64, 48, BufferedImage.TYPE_INT_RGB), "jpeg", jpeg);
        try (Capacity capacity = open()) {
            assertThat(capacity.spec().name()).isEqualTo("colour-detector");
            long before = NativeMemory.allocatedBytes();
            assertThat(capacity.framesPerSecond(List.of(jpeg.toByteArray()), SHORT, SHORT))
                    .isPositive()
                    .isFinite();
            assertThat(NativeMemory.allocatedBytes()).isLessThanOrEqualTo(before);
        }
    }

    @Test
    void shouldSayWhatCannotBeMeasured() throws Exception {
        try (Capacity capacity = open()) {
            assertThatThrownBy(() -> capacity.framesPerSecond(List.of(new byte[10]), SHORT, SHORT))
                    .isInstanceOf(InferenceException.class)
                    .hasMessageStartingWith("the model cannot be measured: ")
                    .hasMessageContaining("expected JPEG, PNG or WebP");
        }
    }
}
