// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * Ids of detection events: a function of the frame's place in its topic and of the model, so that a
 * replay gives each event the id it had before and consumers can drop duplicates. Unique within one
 * Kafka cluster and one life of the topic: one that is made anew begins with the same offsets.
 */
public final class EventId {

    private static final int BYTES = 16;

    private EventId() {}

    /**
     * The first 128 bits, in hexadecimal, of SHA-256 over the UTF-8 text of the four, joined by
     * newlines.
     *
     * @param topic the frames topic
     * @param partition the frame's partition
     * @param offset the frame's offset in it
     * @param modelSha256 of the ONNX file
     */
    public static String of(String topic, int partition, long offset, String modelSha256) {
        String text = topic + '\n' + partition + '\n' + offset + '\n' + modelSha256;
        MessageDigest sha256;
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java runtime has SHA-256", e);
        }
        byte[] digest = sha256.digest(text.getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(Arrays.copyOf(digest, BYTES));
    }
}
