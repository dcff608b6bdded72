// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import java.util.ArrayDeque;
import java.util.Deque;
import org.apache.flink.util.function.ThrowingRunnable;

/**
 * Holds whatever is not a frame (watermarks, watermark status, latency markers, record attributes)
 * until the frames it follows have left, in whichever order those leave. The stream is cut into
 * stretches of frames, each closed by such an element; a frame knows its stretch, so nothing is
 * searched and nothing allocated for a frame.
 */
final class Marks {

    private final Deque<Stretch> closed = new ArrayDeque<>();
    private Stretch open = new Stretch();
    private long frames;

    /** Frames between two elements that are none. */
    static final class Stretch {
        private int frames;
        private ThrowingRunnable<Exception> forward;
    }

    /**
     * A frame has arrived.
     *
     * @return to be given back when it has left
     */
    Stretch arrived() {
        frames++;
        open.frames++;
        return open;
    }

    /** A frame of the stretch has left: forwards what waited for it alone. */
    void left(Stretch stretch) throws Exception {
        frames--;
        stretch.frames--;
        Stretch first = closed.peekFirst();
        while (first != null && first.frames == 0) {
            closed.removeFirst();
            first.forward.run();
            first = closed.peekFirst();
        }
    }

    /** Frames that have arrived and not left. */
    long frames() {
        return frames;
    }

    /** Forwards an element as soon as all frames that arrived before it have left. */
    void behindFrames(ThrowingRunnable<Exception> forward) throws Exception {
        if (frames == 0) {
            forward.run();
            return;
        }
        open.forward = forward;
        closed.addLast(open);
        open = new Stretch();
    }
}
