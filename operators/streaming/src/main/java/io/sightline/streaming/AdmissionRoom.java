// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import io.sightline.events.DropReason;
import java.util.ArrayList;
import java.util.List;

/**
 * The bounded room of encoded frames between source and decode: the one place where overload is
 * felt and dealt with. Each camera has a line, and the next turn is the line's whose last one was
 * the longest ago. So a frame at the head of its line waits for at most one frame of each other
 * camera, and a camera that sends little goes before one that floods. Within a line, frames leave
 * in the order they came.
 *
 * <p>Who gets in when the room is full depends on the camera's {@link OverloadPolicy}:
 *
 * <ul>
 *   <li><b>process-all</b>: nobody has to go for it; it waits at the door, and the whole subtask
 *       with it, since frames come in one stream.
 *   <li><b>latest</b>: takes the place of its camera's older frame. Each such camera has one place
 *       of its own, so the room can hold as many frames more as there are cameras; only where the
 *       bytes run out is the newcomer turned away.
 *   <li><b>max-age</b>: the oldest frame of the longest line goes, among lines of this policy that
 *       hold more than one: a camera that floods pays with its own frames. A camera of which none
 *       waits has a place of its own, as with latest.
 * </ul>
 *
 * <p>Frames that are too old are dropped when they come, when their turn comes, and before any
 * other frame has to go. A single frame of any size always fits into an empty room.
 *
 * <p>Used by the task's thread alone; time is what the caller says.
 */
final class AdmissionRoom {

    /** Told of each frame that is given up. */
    interface Drops {
        void dropped(PendingFrame frame, DropReason reason) throws Exception;
    }

    private final int maxFrames;
    private final long maxBytes;
    private final long maxAgeMillis;
    private final Drops drops;

    /** Lines that have frames, or had when it was last their turn, in the order they came. */
    private final List<CameraLine> lines = new ArrayList<>();

    /** Turns until now. */
    private long turns;

    private int frames;
    private long bytes;

    /**
     * @param maxFrames frames that wait, but for the places that cameras have of their own
     * @param maxAgeMillis age above which policy max-age drops; {@link Long#MAX_VALUE} where no
     *     camera has it
     */
    AdmissionRoom(int maxFrames, long maxBytes, long maxAgeMillis, Drops drops) {
        this.maxFrames = maxFrames;
        this.maxBytes = maxBytes;
        this.maxAgeMillis = maxAgeMillis;
        this.drops = drops;
    }

    /**
     * Takes a frame in, or drops it or others.
     *
     * @param nowMillis wall-clock time
     * @return false where nothing may go for it: offer it again when a frame has left
     */
    boolean offer(PendingFrame frame, long nowMillis) throws Exception {
        CameraLine line = frame.line();
        if (tooOld(frame, nowMillis)) {
            drops.dropped(frame, DropReason.TOO_OLD);
            return true;
        }
        PendingFrame older = line.keepsLatest() ? line.frames.peekFirst() : null;
        while (!fits(frame, older)) {
            if (dropTooOld(nowMillis)) {
                continue;
            }
            if (!line.policy.drops()) {
                return false;
            }
            if (longestGivesWay(line)) {
                continue;
            }
            if (hasOwnPlace(line, older) && bytesFit(frame, older)) {
                break;
            }
            drops.dropped(frame, DropReason.ROOM_FULL);
            return true;
        }
        if (older != null) {
            drop(line, DropReason.SUPERSEDED);
        }
        line.frames.addLast(frame);
        frames++;
        bytes += frame.encodedBytes();
        if (!line.inTurn) {
            line.inTurn = true;
            lines.add(line);
        }
        return true;
    }

    /**
     * The frame to decode next, or null where the room is empty.
     *
     * @param nowMillis wall-clock time
     */
    PendingFrame poll(long nowMillis) throws Exception {
        while (!lines.isEmpty()) {
            CameraLine line = longestWithoutATurn();
            dropTooOld(line, nowMillis);
            PendingFrame frame = line.frames.isEmpty() ? null : removeFirst(line);
            line.inTurn = !line.frames.isEmpty();
            if (!line.inTurn) {
                lines.remove(line);
            }
            if (frame != null) {
                line.lastTurn = ++turns;
                return frame;
            }
        }
        return null;
    }

    private CameraLine longestWithoutATurn() {
        CameraLine first = lines.get(0);
        for (CameraLine line : lines) {
            if (line.lastTurn < first.lastTurn) {
                first = line;
            }
        }
        return first;
    }

    /** Frames that wait. */
    int size() {
        return frames;
    }

    /** Bytes of the frames that wait. */
    long bytes() {
        return bytes;
    }

    /**
     * @param older what would go for it, or null
     */
    private boolean fits(PendingFrame frame, PendingFrame older) {
        return frames - (older == null ? 0 : 1) < maxFrames && bytesFit(frame, older);
    }

    private boolean bytesFit(PendingFrame frame, PendingFrame older) {
        int others = frames - (older == null ? 0 : 1);
        long taken = bytes - (older == null ? 0 : older.encodedBytes());
        return others == 0 || taken + frame.encodedBytes() <= maxBytes;
    }

    private static boolean hasOwnPlace(CameraLine line, PendingFrame older) {
        return !line.shared && line.frames.size() == (older == null ? 0 : 1);
    }

    private boolean tooOld(PendingFrame frame, long nowMillis) {
        return frame.line().policy == OverloadPolicy.MAX_AGE
                && nowMillis - frame.captureMillis() > maxAgeMillis;
    }

    private boolean dropTooOld(long nowMillis) throws Exception {
        if (maxAgeMillis == Long.MAX_VALUE) {
            return false;
        }
        boolean dropped = false;
        for (CameraLine line : lines) {
            dropped |= dropTooOld(line, nowMillis);
        }
        return dropped;
    }

    private boolean dropTooOld(CameraLine line, long nowMillis) throws Exception {
        boolean dropped = false;
        while (!line.frames.isEmpty() && tooOld(line.frames.peekFirst(), nowMillis)) {
            drop(line, DropReason.TOO_OLD);
            dropped = true;
        }
        return dropped;
    }

    /** Whether a frame went; among lines of equal length the newcomer's own gives way. */
    private boolean longestGivesWay(CameraLine newcomers) throws Exception {
        CameraLine longest = null;
        int length = 1;
        if (newcomers.givesWay() && newcomers.frames.size() + 1 > length) {
            longest = newcomers;
            length = newcomers.frames.size() + 1;
        }
        for (CameraLine line : lines) {
            if (line.givesWay() && line.frames.size() > length) {
                longest = line;
                length = line.frames.size();
            }
        }
        if (longest == null) {
            return false;
        }
        drop(longest, DropReason.ROOM_FULL);
        return true;
    }

    private void drop(CameraLine line, DropReason reason) throws Exception {
        drops.dropped(removeFirst(line), reason);
    }

    private PendingFrame removeFirst(CameraLine line) {
        PendingFrame frame = line.frames.removeFirst();
        frames--;
        bytes -= frame.encodedBytes();
        return frame;
    }
}
