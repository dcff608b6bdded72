// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

/**
 * One record of the frames topic as it was read: raw, unchecked, with its place in the topic. What
 * crosses Flink's edges, and what a dead letter gives back unchanged.
 *
 * @param topic the topic it was read from
 * @param partition the partition it was read from
 * @param offset its offset in that partition
 * @param timestampMillis capture time, milliseconds since 1970; negative where the record carries
 *     none
 * @param key the camera id in UTF-8, null where the producer gave none
 * @param value the encoded picture, null where the producer gave none
 * @param headers its headers in order, never null
 */
public record FrameRecord(
        String topic,
        int partition,
        long offset,
        long timestampMillis,
        byte[] key,
        byte[] value,
        Header[] headers) {

    /** One record header; its value may be null. */
    public record Header(String name, byte[] value) {}

    /** Where this record stands, for messages: {@code camera-frames-3@991}. */
    public String position() {
        return topic + "-" + partition + "@" + offset;
    }

    /** Bytes of the value, 0 where there is none. */
    public int valueBytes() {
        return value == null ? 0 : value.length;
    }
}
