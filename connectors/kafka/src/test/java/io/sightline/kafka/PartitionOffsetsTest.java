// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer.PartitionOffsetsRetriever;
import org.apache.flink.util.InstantiationUtil;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class PartitionOffsetsTest {

    private static final TopicPartition P0 = new TopicPartition("frames", 0);
    private static final TopicPartition P1 = new TopicPartition("frames", 1);

    @Test
    void shouldGoOnWhereTheGroupCommittedAndElseAtTheEnd() {
        assertThat(start("committed")).containsOnly(Map.entry(P0, 40L), Map.entry(P1, 90L));
    }

    @Test
    void shouldKnowBothEnds() {
        assertThat(start("earliest")).containsOnly(Map.entry(P0, 10L), Map.entry(P1, 20L));
        assertThat(start("latest")).containsOnly(Map.entry(P0, 80L), Map.entry(P1, 90L));
        assertThat(stop("latest")).containsOnly(Map.entry(P0, 80L), Map.entry(P1, 90L));
    }

    @Test
    void shouldTakeTheFirstFrameAtATimeAndElseTheEnd() {
        // The broker below holds, in partition 0 only, a frame whose timestamp is its offset.
        assertThat(start("50")).containsOnly(Map.entry(P0, 50L), Map.entry(P1, 90L));
        assertThat(stop("81")).containsOnly(Map.entry(P0, 80L), Map.entry(P1, 90L));
    }

    @Test
    void shouldTakeExplicitOffsets() {
        assertThat(start("0:10,1:90")).containsOnly(Map.entry(P0, 10L), Map.entry(P1, 90L));
        // An end may lie ahead: reading goes on until it is there.
        assertThat(stop("0:1000,1:0")).containsOnly(Map.entry(P0, 1000L), Map.entry(P1, 0L));
    }

    @Test
    void shouldRefuseToStartWhereThePartitionHoldsNothing() {
        assertThatThrownBy(() -> start("0:9,1:20"))
                .hasMessage(
                        "offset 9 of frames-0 is not there, the partition holds 10 up to 80: start"
                                + " within, or at earliest");
        assertThatThrownBy(() -> start("0:10,1:91")).hasMessageContaining("offset 91 of frames-1");
    }

    @Test
    void shouldTravelToTheCluster() throws Exception {
        PartitionOffsets copy =
                InstantiationUtil.clone(
                        PartitionOffsets.startingAt(TopicPosition.parseStart("0:10,1:90")));

        assertThat(copy.getPartitionOffsets(List.of(P0, P1), new Broker())).containsEntry(P0, 10L);
    }

    private static Map<TopicPartition, Long> start(String position) {
        return PartitionOffsets.startingAt(TopicPosition.parseStart(position))
                .getPartitionOffsets(List.of(P0, P1), new Broker());
    }

    private static Map<TopicPartition, Long> stop(String position) {
        return PartitionOffsets.stoppingAt(TopicPosition.parseStop(position))
                .getPartitionOffsets(List.of(P0, P1), new Broker());
    }

    /** Partition 0 holds 10 up to 80 and is committed at 40; partition 1 holds 20 up to 90. */
    private static final class Broker implements PartitionOffsetsRetriever {
        @Override
        public Map<TopicPartition, Long> committedOffsets(Collection<TopicPartition> partitions) {
            Map<TopicPartition, Long> committed = new HashMap<>();
            committed.put(P0, 40L);
            committed.put(P1, null);
            return committed;
        }

        @Override
        public Map<TopicPartition, Long> endOffsets(Collection<TopicPartition> partitions) {
            return of(partitions, p -> p.equals(P0) ? 80L : 90L);
        }

        @Override
        public Map<TopicPartition, Long> beginningOffsets(Collection<TopicPartition> partitions) {
            return of(partitions, p -> p.equals(P0) ? 10L : 20L);
        }

        @Override
        public Map<TopicPartition, OffsetAndTimestamp> offsetsForTimes(
                Map<TopicPartition, Long> times) {
            long time = times.get(P0);
            return time < 80 ? Map.of(P0, new OffsetAndTimestamp(time, time)) : Map.of();
        }

        private static Map<TopicPartition, Long> of(
                Collection<TopicPartition> partitions, Function<TopicPartition, Long> offset) {
            Map<TopicPartition, Long> offsets = new HashMap<>();
            partitions.forEach(p -> offsets.put(p, offset.apply(p)));
            return offsets;
        }
    }
}
