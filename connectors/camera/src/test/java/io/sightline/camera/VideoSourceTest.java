// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.events.testing.SharedFiles;
import java.io.IOException;
import java.nio.ShortBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.bytedeco.ffmpeg.global.avcodec;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacv.FFmpegFrameRecorder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VideoSourceTest {

    @TempDir Path folder;

    @Test
    void shouldGiveEveryPictureOnceInOrder() throws Exception {
        Path video = TestVideo.write(folder.resolve("v.mp4"), 0, 60, 25);
        List<Integer> numbers = new ArrayList<>();
        List<Long> pts = new ArrayList<>();
        List<Long> millis = new ArrayList<>();
        try (VideoSource source = VideoSource.open(video.toString());
                JpegEncoder encoder = new JpegEncoder(90)) {
            assertThat(source.width()).isEqualTo(TestVideo.WIDTH);
            assertThat(source.height()).isEqualTo(TestVideo.HEIGHT);
            assertThat(source.frameRate()).isEqualTo(25);
            assertThat(source.timebase()).matches("[1-9][0-9]*/[1-9][0-9]*");
            for (VideoFrame frame = source.next(); frame != null; frame = source.next()) {
                numbers.add(TestVideo.number(encoder.encode(frame)));
                pts.add(frame.pts());
                millis.add(frame.mediaNanos() / 1_000_000);
            }
            assertThat(source.next()).isNull();
        }
        assertThat(numbers).isEqualTo(IntStream.range(0, 60).boxed().toList());
        assertThat(pts).isSorted().doesNotHaveDuplicates();
        assertThat(millis).isEqualTo(IntStream.range(0, 60).mapToObj(i -> 40L * i).toList());
    }

    @Test
    void shouldNameAMissingFile() {
        String missing = folder.resolve("missing.mp4").toString();
        assertThatThrownBy(() -> VideoSource.open(missing))
                .isInstanceOf(IOException.class)
                .hasMessage("video " + missing + ": no such file");
    }

    @Test
    void shouldNameAFolder() {
        assertThatThrownBy(() -> VideoSource.open(folder.toString()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not a readable file");
    }

    @Test
    void shouldSayThatAFileIsNoVideo() throws Exception {
        byte[] bytes = new byte[5000];
        new Random(1).nextBytes(bytes);
        Path file = Files.write(folder.resolve("noise.mp4"), bytes);
        assertThatThrownBy(() -> VideoSource.open(file.toString()))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("video " + file + ": cannot be opened: ")
                .hasMessageNotContaining("\n");
    }

    @Test
    void shouldSayThatAFileHoldsNoPictures() throws Exception {
        Path file = folder.resolve("sound.wav");
        try (FFmpegFrameRecorder recorder = new FFmpegFrameRecorder(file.toFile(), 1)) {
            recorder.setFormat("wav");
            recorder.setAudioCodec(avcodec.AV_CODEC_ID_PCM_S16LE);
            recorder.setSampleRate(8000);
            recorder.start();
            recorder.recordSamples(ShortBuffer.wrap(new short[8000]));
        }
        assertThatThrownBy(() -> VideoSource.open(file.toString()))
                .isInstanceOf(IOException.class)
                .hasMessage("video " + file + ": it holds no video stream");
    }

    @Test
    void shouldNotShowAPassword() {
        assertThatThrownBy(() -> VideoSource.open("nosuch://user:secret@host/stream"))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("video nosuch://host/stream: cannot be opened: ")
                .hasMessageNotContaining("secret");
    }

    @ParameterizedTest
    @CsvSource({
        "rtsp://admin:pass@cam/1, rtsp://cam/1",
        "rtsp://admin:p@ss@cam:554/1, rtsp://cam:554/1",
        "RTSP://admin@cam, RTSP://cam",
        "http://cam/a@b/1, http://cam/a@b/1",
        "http://cam/1?user=admin&password=p@ss, http://cam/1",
        "http://cam?password=a/b@c#d, http://cam",
        "rtsp://cam:554/1?x=2, rtsp://cam:554/1",
        "rtsp://admin:a/b?c#d@cam/1, rtsp://…",
        "rtsp://admin:12345/6@cam/1, rtsp://…",
        "rtsp://admin:1234?x@cam/1, rtsp://…",
        "rtsp://admin:p@ss/w@cam/1, rtsp://…",
        "rtsp://us/er:pw@cam/1, rtsp://…",
        "http://me:p@ss@cam/live?pwd=p@ss, http://…",
        "street@night?.mp4, street@night?.mp4",
    })
    void shouldShowAddressesWithoutWhatIsSecret(String location, String shown) {
        assertThat(VideoSource.shown(location)).isEqualTo(shown);
    }

    @Test
    void shouldNotShowAPasswordThatTheBindingQuotes() throws Exception {
        String subtitles = "1\n00:00:00,000 --> 00:00:01,000\nneither seen nor heard\n";
        try (TestStream server = TestStream.serve(subtitles.getBytes(StandardCharsets.UTF_8))) {
            assertThatThrownBy(() -> VideoSource.open(server.address("me:p@ss@", "?pwd=secret")))
                    .isInstanceOf(IOException.class)
                    .hasNoCause()
                    .hasMessageContaining("inside \"" + server.address("", "") + "\"")
                    .hasMessageNotContaining("ss@")
                    .hasMessageNotContaining("pwd")
                    .hasMessageNotContaining("secret");
        }
    }

    @Test
    void shouldRefuseUseAfterClose() throws Exception {
        Path video = TestVideo.write(folder.resolve("v.mp4"), 0, 2, 25);
        VideoSource source = VideoSource.open(video.toString());
        source.close();
        source.close();
        assertThatThrownBy(source::next).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldReleaseNativeMemory() throws Exception {
        Path video = TestVideo.write(folder.resolve("v.mp4"), 0, 5, 25);
        for (int warmUp = 0; warmUp < 10; warmUp++) {
            CameraReplay.encodeAll(video.toString(), 95, 5);
        }
        System.gc();
        long trackedBefore = Pointer.totalBytes();
        long residentBefore = Pointer.physicalBytes();
        for (int round = 0; round < 50; round++) {
            CameraReplay.encodeAll(video.toString(), 95, 5);
            assertThatThrownBy(() -> VideoSource.open(folder.resolve("none").toString()))
                    .isInstanceOf(IOException.class);
        }
        // What JavaCV leaves to the collector (small structs) is freed by JavaCPP's own thread,
        // some time after it.
        for (int wait = 0;
                wait < 100 && Pointer.totalBytes() - trackedBefore >= 64 * 1024;
                wait++) {
            System.gc();
            Thread.sleep(50);
        }
        assertThat(Pointer.totalBytes() - trackedBefore).isLessThan(64 * 1024);
        assertThat(Pointer.physicalBytes() - residentBefore).isLessThan(32L * 1024 * 1024);
    }

    @Test
    void shouldGiveAllPicturesOfRealVideos() throws Exception {
        assertThat(count(SharedFiles.require("data/mot/TUD-Campus.mp4"))).isEqualTo(71);
        assertThat(count(SharedFiles.require("data/mot/PETS09-S2L1-480x360.mp4"))).isEqualTo(795);
    }

    private static int count(Path video) throws IOException {
        int count = 0;
        long lastPts = Long.MIN_VALUE;
        try (VideoSource source = VideoSource.open(video.toString())) {
            for (VideoFrame frame = source.next(); frame != null; frame = source.next()) {
                assertThat(frame.pts()).isGreaterThan(lastPts);
                lastPts = frame.pts();
                count++;
            }
        }
        return count;
    }
}
