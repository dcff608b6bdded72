// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sightline.events.FrameRecord.Header;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CameraFrameCodecTest {

    private static final String TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    private static final byte[] IMAGE = {1, 2, 3};
    private static final int MAX = 1000;

    @Test
    void shouldNameTheCameraOfARejectedRecordWhereItsKeyDoes() {
        assertThat(CameraFrameCodec.readableCameraId(utf8("Tür-1"))).isEqualTo("Tür-1");
        assertThat(CameraFrameCodec.readableCameraId(null)).isNull();
        assertThat(CameraFrameCodec.readableCameraId(new byte[0])).isNull();
        assertThat(CameraFrameCodec.readableCameraId(new byte[] {(byte) 0xc3, 0x28})).isNull();
    }

    @Test
    void shouldReadABareFrame() throws Exception {
        CameraFrame frame = decode(utf8("cam-1"));

        assertThat(frame.cameraId()).isEqualTo("cam-1");
        assertThat(frame.image()).isSameAs(IMAGE);
        assertThat(frame.captureTimeMillis()).isEqualTo(42);
        assertThat(frame.seq()).isNull();
        assertThat(frame.epoch()).isZero();
        assertThat(frame.traceparent()).isNull();
        assertThat(frame.malformedHeaders()).isZero();
    }

    @Test
    void shouldReadWhatFrameHeadersWrite() throws Exception {
        Header[] headers =
                new FrameHeaders()
                        .contentType("image/png")
                        .seq(7)
                        .epoch(2)
                        .pts(-51_000, "1/90000")
                        .toArray();

        CameraFrame frame = decode(utf8("cam-1"), headers);

        assertThat(frame.seq()).isEqualTo(7);
        assertThat(frame.epoch()).isEqualTo(2);
        assertThat(frame.malformedHeaders()).isZero();
    }

    @Test
    void shouldReadTraceparentAndKeyframe() throws Exception {
        CameraFrame frame =
                decode(
                        utf8("cam-1"),
                        header(FrameHeaders.TRACEPARENT, TRACE),
                        header(FrameHeaders.KEYFRAME, "true"));

        assertThat(frame.traceparent()).isEqualTo(TRACE);
        assertThat(frame.malformedHeaders()).isZero();
    }

    @Property
    void shouldReadEverySeqAndEpoch(
            @ForAll @LongRange(min = 0) long seq, @ForAll @LongRange(min = 0) long epoch)
            throws Exception {
        CameraFrame frame =
                decode(utf8("cam-1"), new FrameHeaders().seq(seq).epoch(epoch).toArray());

        assertThat(frame.seq()).isEqualTo(seq);
        assertThat(frame.epoch()).isEqualTo(epoch);
    }

    @Property
    void shouldReadEveryCameraIdThatIsUtf8(@ForAll @Size(min = 1, max = 60) List<Character> chars)
            throws Exception {
        StringBuilder id = new StringBuilder();
        chars.stream().filter(c -> !Character.isSurrogate(c)).forEach(id::append);
        if (!id.isEmpty()) {
            assertThat(decode(utf8(id.toString())).cameraId()).isEqualTo(id.toString());
        }
    }

    @Property
    void shouldNeverFailOtherwiseThanByRejecting(
            @ForAll @Size(max = 300) byte[] key,
            @ForAll List<@Size(max = 60) byte[]> values,
            @ForAll long timestamp) {
        String[] names = {
            "seq", "epoch", "pts", "timebase", "keyframe", "traceparent", "content-type", "x"
        };
        List<Header> headers = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            headers.add(new Header(names[i % names.length], values.get(i)));
        }
        FrameRecord record =
                new FrameRecord(
                        "frames", 0, 1, timestamp, key, IMAGE, headers.toArray(new Header[0]));
        try {
            CameraFrame frame = CameraFrameCodec.decode(record, MAX);
            assertThat(utf8(frame.cameraId())).isEqualTo(key);
        } catch (FrameRejectedException e) {
            assertThat(e.reason().stage()).isEqualTo(Rejection.Stage.RECORD);
            assertThat(e.getMessage()).doesNotContain("\n").hasSizeLessThan(200);
        }
    }

    @Test
    void shouldRejectKeysThatAreNoCameraId() {
        assertThat(rejection(null, IMAGE, 42)).isEqualTo(Rejection.MISSING_KEY);
        assertThat(rejection(new byte[0], IMAGE, 42)).isEqualTo(Rejection.MISSING_KEY);
        assertThat(rejection(new byte[] {'c', (byte) 0xff}, IMAGE, 42))
                .isEqualTo(Rejection.INVALID_KEY);
        // An overlong '/' and a lone surrogate, which lenient decoders accept.
        assertThat(rejection(new byte[] {(byte) 0xc0, (byte) 0xaf}, IMAGE, 42))
                .isEqualTo(Rejection.INVALID_KEY);
        assertThat(rejection(new byte[] {(byte) 0xed, (byte) 0xa0, (byte) 0x80}, IMAGE, 42))
                .isEqualTo(Rejection.INVALID_KEY);
        assertThat(rejection(utf8("x".repeat(256)), IMAGE, 42)).isEqualTo(Rejection.INVALID_KEY);
    }

    @Test
    void shouldRejectMissingValuesAndTimestamps() {
        assertThat(rejection(utf8("c"), null, 42)).isEqualTo(Rejection.MISSING_VALUE);
        assertThat(rejection(utf8("c"), new byte[0], 42)).isEqualTo(Rejection.MISSING_VALUE);
        assertThat(rejection(utf8("c"), IMAGE, -1)).isEqualTo(Rejection.MISSING_TIMESTAMP);
        // Microseconds, a common mistake: no event could write that year in ISO 8601.
        assertThat(rejection(utf8("c"), IMAGE, 1_790_000_000_000_000L))
                .isEqualTo(Rejection.MISSING_TIMESTAMP);
    }

    @Test
    void shouldRejectFramesAboveTheLimitOnly() throws Exception {
        FrameRecord atLimit = new FrameRecord("f", 0, 1, 42, utf8("c"), new byte[MAX], none());
        FrameRecord above = new FrameRecord("f", 0, 1, 42, utf8("c"), new byte[MAX + 1], none());

        assertThat(CameraFrameCodec.decode(atLimit, MAX).image()).hasSize(MAX);
        assertThatThrownBy(() -> CameraFrameCodec.decode(above, MAX))
                .isInstanceOfSatisfying(
                        FrameRejectedException.class,
                        e -> assertThat(e.reason()).isEqualTo(Rejection.FRAME_TOO_LARGE))
                .hasMessageContaining("1001 bytes")
                .hasMessageContaining("max-frame-bytes");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"image/jpeg", "IMAGE/JPEG", "image/png", "image/webp; q=1", " image/png ;x"})
    void shouldAcceptPictures(String contentType) throws Exception {
        assertThat(decode(utf8("c"), header("content-type", contentType)).malformedHeaders())
                .isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"image/gif", "text/plain", ";", "video/h264", "video/h265; x=1"})
    void shouldRejectWhatIsNoPictureItReads(String contentType) {
        FrameRejectedException e =
                catchThrowableOfType(
                        FrameRejectedException.class,
                        () -> decode(utf8("c"), header("content-type", contentType)));

        assertThat(e.reason()).isEqualTo(Rejection.UNSUPPORTED_CONTENT_TYPE);
        assertThat(e).hasMessageContaining("image/jpeg, image/png or image/webp");
        if (contentType.startsWith("video/")) {
            assertThat(e).hasMessageContaining("not supported yet");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "seq,''",
        "seq,-1",
        "seq,1.5",
        "seq,9223372036854775808",
        "epoch,x",
        "epoch,' 1'",
        "pts,-",
        "pts,1e3",
        "timebase,1",
        "timebase,1/0",
        "timebase,1/",
        "keyframe,yes",
        "traceparent,00-short",
        "traceparent,00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "content-type,''"
    })
    void shouldIgnoreAndCountMalformedHeaders(String name, String value) throws Exception {
        CameraFrame frame = decode(utf8("c"), header(name, value), new Header(name, null));

        assertThat(frame.malformedHeaders()).isEqualTo(2);
        assertThat(frame.seq()).isNull();
        assertThat(frame.epoch()).isZero();
        assertThat(frame.traceparent()).isNull();
    }

    @Test
    void shouldTakeTheLastOfRepeatedHeadersAndIgnoreForeignOnes() throws Exception {
        CameraFrame frame =
                decode(utf8("c"), header("seq", "1"), header("seq", "2"), header("foo", "\u0000"));

        assertThat(frame.seq()).isEqualTo(2);
        assertThat(frame.malformedHeaders()).isZero();
    }

    private static CameraFrame decode(byte[] key, Header... headers) throws FrameRejectedException {
        return CameraFrameCodec.decode(
                new FrameRecord("frames", 0, 1, 42, key, IMAGE, headers), MAX);
    }

    private static Rejection rejection(byte[] key, byte[] value, long timestamp) {
        FrameRecord record = new FrameRecord("frames", 0, 1, timestamp, key, value, none());
        return catchThrowableOfType(
                        FrameRejectedException.class, () -> CameraFrameCodec.decode(record, MAX))
                .reason();
    }

    private static Header[] none() {
        return new Header[0];
    }

    private static Header header(String name, String value) {
        return new Header(name, utf8(value));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
