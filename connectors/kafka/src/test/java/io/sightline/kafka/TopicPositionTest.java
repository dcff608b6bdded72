// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.kafka.TopicPosition.At;
import io.sightline.kafka.TopicPosition.Committed;
import io.sightline.kafka.TopicPosition.Earliest;
import io.sightline.kafka.TopicPosition.Latest;
import io.sightline.kafka.TopicPosition.Offsets;
import java.time.Instant;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TopicPositionTest {

    @Test
    void shouldReadEveryKindOfStart() {
        Instant ten = Instant.parse("2026-11-23T10:00:00Z");

        assertThat(TopicPosition.parseStart("committed")).isEqualTo(new Committed());
        assertThat(TopicPosition.parseStart(" latest ")).isEqualTo(new Latest());
        assertThat(TopicPosition.parseStart("earliest")).isEqualTo(new Earliest());
        assertThat(TopicPosition.parseStart("2026-11-23T10:00:00Z")).isEqualTo(new At(ten));
        assertThat(TopicPosition.parseStart("2026-11-23T11:00+01:00")).isEqualTo(new At(ten));
        assertThat(TopicPosition.parseStart("" + ten.toEpochMilli())).isEqualTo(new At(ten));
        assertThat(TopicPosition.parseStart("3:250,0:100"))
                .isEqualTo(new Offsets(Map.of(0, 100L, 3, 250L)))
                .hasToString("0:100,3:250");
    }

    @Test
    void shouldReadEveryKindOfStop() {
        assertThat(TopicPosition.parseStop("latest")).isEqualTo(new Latest());
        assertThat(TopicPosition.parseStop("5")).isEqualTo(new At(Instant.ofEpochMilli(5)));
        assertThat(TopicPosition.parseStop("0:5")).isEqualTo(new Offsets(Map.of(0, 5L)));
    }

    @Property(tries = 200)
    void shouldReadBackItsOwnText(
            @ForAll @Size(min = 1, max = 20)
                    Map<@IntRange(max = 10_000) Integer, @LongRange Long> offsets) {
        Offsets position = new Offsets(offsets);

        assertThat(TopicPosition.parseStart(position.toString())).isEqualTo(position);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "newest",
                "0:",
                ":5",
                "0:5,",
                "-1:5",
                "0:-5",
                "99999999999:1",
                "0:99999999999999999999",
                "99999999999999999999999",
                "2026-11-23",
                "2026-11-23T10:00:00",
                "2026-13-23T10:00:00Z"
            })
    void shouldSayInOneLineWhatItExpects(String text) {
        assertThatThrownBy(() -> TopicPosition.parseStart(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'" + text + "'")
                .hasMessageContaining("expected committed, latest, earliest, a time")
                .message()
                .doesNotContain("\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"committed", "earliest", "later"})
    void shouldNotStopWhereNothingIsRead(String text) {
        assertThatThrownBy(() -> TopicPosition.parseStop(text))
                .hasMessageContaining("expected latest, a time");
    }

    @Test
    void shouldTellThatATimeToStopAtHasNotCome() {
        Instant now = Instant.parse("2026-11-23T10:00:00.123Z");

        assertThat(TopicPosition.stopProblem(new At(now.plusMillis(1)), now))
                .hasValue(
                        "the time to stop at, 2026-11-23T10:00:00.124Z, lies ahead, it is"
                                + " 2026-11-23T10:00:00Z: give a time that has passed, or start when"
                                + " it has");
        assertThat(TopicPosition.stopProblem(new At(now), now)).isEmpty();
        assertThat(TopicPosition.stopProblem(new Latest(), now)).isEmpty();
        assertThat(TopicPosition.stopProblem(null, now)).isEmpty();
    }

    @Test
    void shouldRefuseAPartitionNamedTwice() {
        assertThatThrownBy(() -> TopicPosition.parseStart("1:5,1:6"))
                .hasMessage("position '1:5,1:6' names partition 1 twice");
    }

    @Test
    void shouldAskForTheZoneOfATime() {
        assertThatThrownBy(() -> TopicPosition.parseStart("2026-11-23T10:00:00"))
                .hasMessageContaining("no time with its zone");
    }
}
