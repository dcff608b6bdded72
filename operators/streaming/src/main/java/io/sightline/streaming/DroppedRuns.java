// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import io.sightline.events.CameraStatus.DroppedOffsets;
import io.sightline.events.CameraStatus.OffsetRange;
import io.sightline.events.DropReason;
import io.sightline.events.FrameRecord;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Offsets of frames dropped since the last status, as runs for each partition and reason. */
final class DroppedRuns {

    private final List<Runs> groups = new ArrayList<>();
    private int ranges;

    private static final class Runs {
        final String topic;
        final int partition;
        final DropReason reason;

        /** First and last offset of each run, one run after the other. */
        long[] bounds = new long[8];

        int length;

        Runs(String topic, int partition, DropReason reason) {
            this.topic = topic;
            this.partition = partition;
            this.reason = reason;
        }

        /** Whether a run was begun. */
        boolean add(long offset) {
            if (length > 0 && bounds[length - 1] + 1 == offset) {
                bounds[length - 1] = offset;
                return false;
            }
            if (length == bounds.length) {
                bounds = Arrays.copyOf(bounds, 2 * length);
            }
            bounds[length++] = offset;
            bounds[length++] = offset;
            return true;
        }

        DroppedOffsets take() {
            List<OffsetRange> list = new ArrayList<>(length / 2);
            for (int i = 0; i < length; i += 2) {
                list.add(new OffsetRange(bounds[i], bounds[i + 1]));
            }
            return new DroppedOffsets(topic, partition, reason.label(), list);
        }
    }

    void add(FrameRecord record, DropReason reason) {
        if (group(record, reason).add(record.offset())) {
            ranges++;
        }
    }

    private Runs group(FrameRecord record, DropReason reason) {
        for (Runs group : groups) {
            if (group.partition == record.partition()
                    && group.reason == reason
                    && group.topic.equals(record.topic())) {
                return group;
            }
        }
        Runs group = new Runs(record.topic(), record.partition(), reason);
        groups.add(group);
        return group;
    }

    int ranges() {
        return ranges;
    }

    /** What was added, and nothing is left. */
    List<DroppedOffsets> take() {
        List<DroppedOffsets> taken = groups.stream().map(Runs::take).toList();
        groups.clear();
        ranges = 0;
        return taken;
    }
}
