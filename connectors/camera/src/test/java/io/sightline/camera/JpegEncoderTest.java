// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.bytedeco.opencv.global.opencv_core.CV_8UC3;

import java.util.Random;
import org.bytedeco.opencv.opencv_core.Mat;
import org.bytedeco.opencv.opencv_core.Scalar;
import org.junit.jupiter.api.Test;

class JpegEncoderTest {

    @Test
    void shouldWriteWholeFilesWhateverItWroteBefore() {
        try (JpegEncoder encoder = new JpegEncoder(95);
                Mat plain = new Mat(64, 64, CV_8UC3, new Scalar(10, 20, 30, 0));
                Mat noise = new Mat(64, 64, CV_8UC3)) {
            byte[] pixels = new byte[64 * 64 * 3];
            new Random(7).nextBytes(pixels);
            noise.data().put(pixels);
            byte[] small = encoder.encode(new VideoFrame(plain, 0, 0));
            byte[] large = encoder.encode(new VideoFrame(noise, 1, 0));
            byte[] smallAgain = encoder.encode(new VideoFrame(plain, 2, 0));
            byte[] largeAgain = encoder.encode(new VideoFrame(noise, 3, 0));
            assertThat(large.length).isGreaterThan(small.length);
            assertThat(smallAgain).isEqualTo(small);
            assertThat(largeAgain).isEqualTo(large);
            assertThat(small).startsWith(0xff, 0xd8).endsWith(0xff, 0xd9);
            assertThat(large).startsWith(0xff, 0xd8).endsWith(0xff, 0xd9);
        }
    }

    @Test
    void shouldWriteSmallerFilesAtLowerQuality() {
        try (JpegEncoder low = new JpegEncoder(10);
                JpegEncoder high = new JpegEncoder(100);
                Mat noise = new Mat(64, 64, CV_8UC3)) {
            byte[] pixels = new byte[64 * 64 * 3];
            new Random(7).nextBytes(pixels);
            noise.data().put(pixels);
            VideoFrame frame = new VideoFrame(noise, 0, 0);
            assertThat(low.encode(frame).length).isLessThan(high.encode(frame).length / 2);
        }
    }

    @Test
    void shouldRefuseQualitiesOutsideTheScale() {
        assertThatThrownBy(() -> new JpegEncoder(0))
                .hasMessage("JPEG quality 0: expected 1 to 100");
        assertThatThrownBy(() -> new JpegEncoder(101))
                .hasMessage("JPEG quality 101: expected 1 to 100");
    }

    @Test
    void shouldEncodePixelsInMemoryAsItDoesAPicture() {
        try (JpegEncoder encoder = new JpegEncoder(90);
                Mat noise = new Mat(30, 50, CV_8UC3)) {
            byte[] pixels = new byte[30 * 50 * 3];
            new Random(7).nextBytes(pixels);
            noise.data().put(pixels);
            assertThat(encoder.encode(pixels, 50, 30))
                    .isEqualTo(encoder.encode(new VideoFrame(noise, 0, 0)));
            assertThatThrownBy(() -> encoder.encode(pixels, 50, 31))
                    .hasMessage("JPEG encoder: a picture of 4500 bytes, expected 3 x 50 x 31");
        }
    }

    @Test
    void shouldRefuseUseAfterClose() {
        JpegEncoder encoder = new JpegEncoder(50);
        encoder.close();
        encoder.close();
        assertThatThrownBy(() -> encoder.encode(null)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> encoder.encode(new byte[3], 1, 1))
                .isInstanceOf(IllegalStateException.class);
    }
}
