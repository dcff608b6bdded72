// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

import io.sightline.events.FrameRecord.Header;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Headers of a record on the frames topic: their names, and how a producer of frames writes them.
 * All are optional and ASCII text.
 *
 * <pre>{@code
 * Header[] headers = new FrameHeaders().seq(17).pts(51_000, "1/90000").toArray();
 * }</pre>
 */
public final class FrameHeaders {

    /** Media type of the value, {@link CameraFrameCodec#DEFAULT_CONTENT_TYPE} where absent. */
    public static final String CONTENT_TYPE = "content-type";

    /** Number of the frame, not negative, counted by the camera. */
    public static final String SEQ = "seq";

    /** Not negative; raised when the camera restarts its clock or its numbering. */
    public static final String EPOCH = "epoch";

    /** Media time of the frame, in units of {@link #TIMEBASE}. */
    public static final String PTS = "pts";

    /** Seconds in one unit of {@link #PTS}, as a fraction: {@code 1/90000}. */
    public static final String TIMEBASE = "timebase";

    /** {@code true} or {@code false}: whether the frame can be decoded without earlier ones. */
    public static final String KEYFRAME = "keyframe";

    /** W3C trace context. */
    public static final String TRACEPARENT = "traceparent";

    private final List<Header> headers = new ArrayList<>();

    public FrameHeaders contentType(String mediaType) {
        return add(CONTENT_TYPE, mediaType);
    }

    public FrameHeaders seq(long seq) {
        return add(SEQ, Long.toString(seq));
    }

    public FrameHeaders epoch(long epoch) {
        return add(EPOCH, Long.toString(epoch));
    }

    /**
     * @param pts media time
     * @param timebase seconds in one unit of it, {@code 1/90000}
     */
    public FrameHeaders pts(long pts, String timebase) {
        return add(PTS, Long.toString(pts)).add(TIMEBASE, timebase);
    }

    /** The headers in the order they were given. */
    public Header[] toArray() {
        return headers.toArray(new Header[0]);
    }

    private FrameHeaders add(String name, String value) {
        headers.add(new Header(name, value.getBytes(StandardCharsets.US_ASCII)));
        return this;
    }
}
