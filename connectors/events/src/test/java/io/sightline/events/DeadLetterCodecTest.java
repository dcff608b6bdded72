// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.events.DeadLetterCodec.Encoded;
import io.sightline.events.FrameRecord.Header;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeadLetterCodecTest {

    @Test
    void shouldKeepTheRecordAndSayWhatWasWrong() {
        byte[] key = utf8("cam-1");
        byte[] value = {1, 2, 3};
        Encoded encoded =
                DeadLetterCodec.encode(
                        letter(42, key, value, header("seq", "7"), new Header("odd", null)), 3);

        assertThat(encoded.timestampMillis()).isEqualTo(42);
        assertThat(encoded.key()).isSameAs(key);
        assertThat(encoded.value()).isSameAs(value);
        assertThat(texts(encoded))
                .containsExactly(
                        "seq=7",
                        "odd=null",
                        "error-stage=decode",
                        "error-class=truncated",
                        "error-message=only half of it, Größe",
                        "source-topic=camera-frames",
                        "source-partition=3",
                        "source-offset=991");
    }

    @Test
    void shouldCutTheValueAndSayHowLongItWas() {
        Encoded encoded = DeadLetterCodec.encode(letter(42, utf8("c"), new byte[] {1, 2, 3, 4}), 3);

        assertThat(encoded.value()).containsExactly(1, 2, 3);
        assertThat(texts(encoded)).endsWith("value-truncated=4");
    }

    @Test
    void shouldKeepWhatIsMissingMissing() {
        Encoded encoded = DeadLetterCodec.encode(letter(-1, null, null), 0);

        assertThat(encoded.timestampMillis()).isNull();
        assertThat(encoded.key()).isNull();
        assertThat(encoded.value()).isNull();
    }

    @Test
    void shouldReplaceHeadersThatAnEarlierRejectionLeft() {
        Encoded first =
                DeadLetterCodec.encode(letter(42, utf8("c"), new byte[9], header("seq", "1")), 3);
        Encoded second =
                DeadLetterCodec.encode(
                        letter(
                                42,
                                first.key(),
                                first.value(),
                                first.headers().toArray(new Header[0])),
                        3);

        assertThat(second.headers().stream().map(Header::name))
                .doesNotHaveDuplicates()
                .startsWith("seq")
                .doesNotContain("value-truncated");
    }

    @Test
    void shouldBoundWhatAHostileRecordCanMakeOfIt() {
        Header[] headers = new Header[100_000];
        Arrays.fill(headers, header("h", ""));
        headers[0] = new Header("big", new byte[5_000_000]);
        FrameRecord record =
                new FrameRecord(
                        "t".repeat(249), 0, 1, 42, new byte[3_000_000], new byte[10], headers);
        Encoded encoded =
                DeadLetterCodec.encode(
                        new DeadLetter(record, Rejection.INVALID_KEY, "ü".repeat(1_000_000)), 10);

        long bytes = encoded.key().length;
        for (Header header : encoded.headers()) {
            bytes += utf8(header.name()).length + header.value().length + 10L;
        }
        assertThat(bytes).isLessThan(DeadLetterCodec.MAX_OVERHEAD_BYTES);
        assertThat(texts(encoded)).contains("key-truncated=3000000");
        assertThat(encoded.headers().get(encoded.headers().size() - 1).name())
                .isEqualTo("headers-dropped");
    }

    @Test
    void shouldRefuseANegativeLimit() {
        assertThatThrownBy(() -> DeadLetterCodec.encode(letter(1, null, null), -1))
                .hasMessageContaining("expected 0 or more");
    }

    private static DeadLetter letter(long timestamp, byte[] key, byte[] value, Header... headers) {
        return new DeadLetter(
                new FrameRecord("camera-frames", 3, 991, timestamp, key, value, headers),
                Rejection.TRUNCATED,
                "only half of it, Größe");
    }

    private static List<String> texts(Encoded encoded) {
        return encoded.headers().stream()
                .map(
                        h ->
                                h.name()
                                        + "="
                                        + (h.value() == null
                                                ? "null"
                                                : new String(h.value(), StandardCharsets.UTF_8)))
                .toList();
    }

    private static Header header(String name, String value) {
        return new Header(name, utf8(value));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
