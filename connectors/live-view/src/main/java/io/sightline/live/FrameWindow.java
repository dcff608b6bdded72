// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import io.sightline.events.CameraFrame;
import io.sightline.live.WindowFrame.Picture;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The newest frames of each camera with what the job said about them, and how each camera does.
 *
 * <p>A frame is ready to be shown with its event or dead letter, or without one when it has waited
 * for long enough. Either may come first: they are in topics of their own.
 *
 * <p>Everything is bounded, because everything comes from outside: frames of a camera by number;
 * pictures and events of all cameras by bytes, where the camera that holds most gives up its oldest
 * frame, so that a flooding one displaces only itself; cameras by number, where the one not heard
 * of for longest goes. Safe for use by several threads.
 */
final class FrameWindow {

    /** Answers that wait for their frame: seconds of a busy installation. */
    private static final int MAX_EARLY_ANSWERS = 4096;

    private final WindowLimits limits;
    private final InstantSource clock;

    private final Map<String, Camera> cameras = new HashMap<>();
    private final Map<FrameKey, WindowFrame> frames = new HashMap<>();

    /** Frames that wait for their answer, as they came. */
    private final Map<FrameKey, WindowFrame> waiting = new LinkedHashMap<>();

    /** Answers that came before their frame, as they came. */
    private final Map<FrameKey, EarlyAnswer> early = new LinkedHashMap<>();

    /** The last offset seen of each partition: an answer to one before it is not early. */
    private final Map<Integer, Long> lastOffsets = new HashMap<>();

    private long earlyBytes;
    private long bytes;
    private long nextIndex = 1;
    private long totalFrames;
    private long totalEvents;
    private long totalDeadLetters;
    private long totalDropped;
    private long forgottenCameras;

    private record EarlyAnswer(Answer answer, long arrivedMillis) {}

    private static final class Camera {
        final CameraStatistics statistics;
        final JobAccount job = new JobAccount();
        final ArrayDeque<WindowFrame> frames = new ArrayDeque<>();
        WindowFrame newestReady;
        long bytes;
        long dropped;
        long lastSeenMillis;

        Camera(long nowMillis, Duration joinTimeout) {
            statistics = new CameraStatistics(nowMillis, joinTimeout);
        }
    }

    /** What became of an answer. */
    enum Joined {
        /** Its frame is now ready. */
        FRAME_READY,
        /** Its frame has been shown already, or is not there. */
        LATE,
        /** It waits for its frame. */
        EARLY,
        /** Its frame has one already: a job that restarted says some things twice. */
        REPEATED
    }

    /**
     * What has waited in vain.
     *
     * @param frames now ready without an answer, but for those that a newer one has overtaken: they
     *     can be stepped back to, and nobody missed them
     * @param answers whose frame never came
     */
    record Expired(List<Picture> frames, List<Answer> answers) {}

    /**
     * A camera as the page shows it; the fields are the protocol's.
     *
     * @param dropped frames the window gave up for others before they could be shown
     * @param job what the job says of it; null where it says nothing
     */
    record CameraState(
            String camera,
            double framesPerSecond,
            long frames,
            long events,
            long deadLetters,
            long dropped,
            Long lastCaptureMillis,
            Long lastFrameMillis,
            Long lastEventMillis,
            long lastSeenMillis,
            CameraStatistics.Condition condition,
            CameraStatistics.Latency latency,
            Map<String, int[]> counts,
            int[] eventBuckets,
            JobAccount.State job) {}

    /**
     * All cameras together, forgotten ones included.
     *
     * @param bytes held now, of pictures and events
     * @param held frames held now
     */
    record Totals(
            int cameras,
            long frames,
            long events,
            long deadLetters,
            long dropped,
            long forgottenCameras,
            int held,
            long bytes) {}

    FrameWindow(WindowLimits limits, InstantSource clock) {
        this.limits = limits;
        this.clock = clock;
    }

    /**
     * Takes a frame in.
     *
     * @return the frame where it is ready to be shown, because its answer was there; else null
     */
    synchronized Picture frame(FrameKey key, CameraFrame frame, String contentType) {
        long now = clock.millis();
        lastOffsets.put(key.partition(), key.offset());
        WindowFrame former = frames.get(key);
        if (former != null) {
            // The topic was made anew, and counts from 0 again.
            remove(cameras.get(former.frame.cameraId()), former);
        }
        Camera camera = camera(frame.cameraId(), now);
        camera.statistics.frame(now, frame.captureTimeMillis());
        totalFrames++;
        WindowFrame added = new WindowFrame(key, frame, contentType, nextIndex++, now);
        frames.put(key, added);
        camera.frames.add(added);
        charge(camera, added.bytes());
        EarlyAnswer answer = early.remove(key);
        if (answer != null) {
            earlyBytes -= cost(answer.answer());
        }
        if (answer != null && frame.cameraId().equals(answer.answer().camera())) {
            makeReady(camera, added, answer.answer());
        } else {
            waiting.put(key, added);
        }
        shrink(camera);
        return isHeld(added) && added.ready() ? added.picture() : null;
    }

    /**
     * Counts a frame that cannot be read; the job's dead letter says why.
     *
     * @param camera null where it does not say
     */
    synchronized void rejected(String camera) {
        totalFrames++;
        if (camera != null) {
            long now = clock.millis();
            camera(camera, now).statistics.arrived(now);
        }
    }

    /**
     * Takes an event or a dead letter in; {@link #picture} then has the frame where it is ready.
     */
    synchronized Joined answer(Answer answer) {
        long now = clock.millis();
        FrameKey key = answer.key();
        WindowFrame frame = key == null ? null : frames.get(key);
        if (early.containsKey(key) || (frame != null && frame.answered())) {
            return Joined.REPEATED;
        }
        count(answer, now);
        if (frame == null) {
            boolean early =
                    key != null && key.offset() > lastOffsets.getOrDefault(key.partition(), -1L);
            return early ? keepEarly(answer, now) : Joined.LATE;
        }
        if (!frame.frame.cameraId().equals(answer.camera())) {
            return Joined.LATE;
        }
        Camera camera = cameras.get(answer.camera());
        boolean shown = frame.ready();
        makeReady(camera, frame, answer);
        shrink(camera);
        // Too large together with its event, it may have gone at once.
        return shown || !isHeld(frame) ? Joined.LATE : Joined.FRAME_READY;
    }

    /**
     * Takes the job's word about a camera in. It neither makes a camera known nor keeps it: a job
     * speaks of all it ever saw. A frame that the job dropped has waited for long enough.
     *
     * @return frames that are now ready without an answer, as of {@link Expired}
     */
    synchronized List<Picture> status(JobStatus status) {
        Camera camera = cameras.get(status.camera());
        if (camera == null) {
            return List.of();
        }
        camera.job.add(clock.millis(), status);
        List<Picture> ready = new ArrayList<>();
        for (WindowFrame frame : List.copyOf(camera.frames)) {
            String reason = frame.answered() ? null : status.droppedFrames().reason(frame.key);
            if (reason != null && isHeld(frame)) {
                frame.dropped(reason);
                giveOut(frame, ready);
            }
        }
        return ready;
    }

    /** Shows a frame without an answer, where no newer one was shown. */
    private void giveOut(WindowFrame frame, List<Picture> ready) {
        boolean shown = frame.ready();
        Camera camera = cameras.get(frame.frame.cameraId());
        makeReady(camera, frame, null);
        shrink(camera);
        if (!shown && isHeld(frame) && camera.newestReady == frame) {
            ready.add(frame.picture());
        }
    }

    private void count(Answer answer, long now) {
        if (answer instanceof Answer.Event event) {
            totalEvents++;
            camera(event.camera(), now)
                    .statistics
                    .event(now, event.captureToEmitMillis(), event.objects());
        } else {
            totalDeadLetters++;
            if (answer.camera() != null) {
                camera(answer.camera(), now).statistics.deadLetter(now);
            }
        }
    }

    private Joined keepEarly(Answer answer, long now) {
        if (early.size() >= MAX_EARLY_ANSWERS || earlyBytes + cost(answer) > limits.bytes() / 8) {
            return Joined.LATE;
        }
        early.put(answer.key(), new EarlyAnswer(answer, now));
        earlyBytes += cost(answer);
        return Joined.EARLY;
    }

    private static long cost(Answer answer) {
        return answer instanceof Answer.Event event ? 2L * event.json().length() : 2_000;
    }

    /** Gives out what has waited for long enough. To be called now and then. */
    synchronized Expired expire() {
        long limit = clock.millis() - limits.joinTimeout().toMillis();
        List<Picture> expired = new ArrayList<>();
        for (WindowFrame frame : List.copyOf(waiting.values())) {
            if (frame.arrivedMillis > limit) {
                break;
            }
            // One before it may have displaced it.
            if (isHeld(frame)) {
                giveOut(frame, expired);
            }
        }
        List<Answer> answers = new ArrayList<>();
        Iterator<EarlyAnswer> oldest = early.values().iterator();
        while (oldest.hasNext()) {
            EarlyAnswer answer = oldest.next();
            if (answer.arrivedMillis() > limit) {
                break;
            }
            answers.add(answer.answer());
            earlyBytes -= cost(answer.answer());
            oldest.remove();
        }
        return new Expired(expired, answers);
    }

    private boolean isHeld(WindowFrame frame) {
        return frames.get(frame.key) == frame;
    }

    private void makeReady(Camera camera, WindowFrame frame, Answer answer) {
        waiting.remove(frame.key);
        long before = frame.bytes();
        frame.describe(Messages.frameHeader(frame, answer), answer != null);
        charge(camera, frame.bytes() - before);
        if (camera.newestReady == null || camera.newestReady.index < frame.index) {
            camera.newestReady = frame;
        }
    }

    private Camera camera(String id, long now) {
        Camera camera = cameras.get(id);
        if (camera == null) {
            if (cameras.size() >= limits.cameras()) {
                forgetOne();
            }
            camera = new Camera(now, limits.joinTimeout());
            cameras.put(id, camera);
        }
        camera.lastSeenMillis = now;
        return camera;
    }

    private void forgetOne() {
        String oldest =
                cameras.entrySet().stream()
                        .min(Comparator.comparingLong(entry -> entry.getValue().lastSeenMillis))
                        .orElseThrow()
                        .getKey();
        Camera camera = cameras.remove(oldest);
        while (!camera.frames.isEmpty()) {
            remove(camera, camera.frames.peek());
        }
        forgottenCameras++;
    }

    private void charge(Camera camera, long more) {
        camera.bytes += more;
        bytes += more;
    }

    /** Back to the limits, after this camera grew. */
    private void shrink(Camera camera) {
        while (camera.frames.size() > limits.frames()) {
            remove(camera, camera.frames.peek());
        }
        while (bytes > limits.bytes()) {
            Camera largest = largest(cameras.values());
            WindowFrame oldest = largest.frames.peek();
            remove(largest, oldest);
            // One that was shown can only not be stepped back to any more.
            if (!oldest.ready()) {
                largest.dropped++;
                totalDropped++;
            }
        }
    }

    private static Camera largest(Collection<Camera> cameras) {
        return cameras.stream().max(Comparator.comparingLong(camera -> camera.bytes)).orElseThrow();
    }

    private void remove(Camera camera, WindowFrame frame) {
        camera.frames.remove(frame);
        frames.remove(frame.key);
        waiting.remove(frame.key);
        charge(camera, -frame.bytes());
        if (camera.newestReady == frame) {
            camera.newestReady = null;
            for (WindowFrame other : camera.frames) {
                if (other.ready()) {
                    camera.newestReady = other;
                }
            }
        }
    }

    synchronized boolean knows(String camera) {
        return cameras.containsKey(camera);
    }

    /** The newest frame of a camera that is ready to be shown; null where there is none. */
    synchronized Picture newest(String camera) {
        Camera known = cameras.get(camera);
        return known == null || known.newestReady == null ? null : known.newestReady.picture();
    }

    /** The newest of each camera that has one. */
    synchronized List<Picture> newest() {
        return cameras.values().stream()
                .filter(camera -> camera.newestReady != null)
                .map(camera -> camera.newestReady.picture())
                .toList();
    }

    /** The frame with that key; null where it is not there, not yet ready, or another camera's. */
    synchronized Picture picture(String camera, FrameKey key) {
        WindowFrame frame = frames.get(key);
        return frame == null || !frame.ready() || !frame.frame.cameraId().equals(camera)
                ? null
                : frame.picture();
    }

    /** What of a camera is ready to be shown, oldest first; nothing of one that is not known. */
    synchronized List<Picture> pictures(String camera) {
        Camera known = cameras.get(camera);
        return known == null
                ? List.of()
                : known.frames.stream()
                        .filter(WindowFrame::ready)
                        .map(WindowFrame::picture)
                        .toList();
    }

    /** All cameras by name. */
    synchronized List<CameraState> cameras() {
        long now = clock.millis();
        return new TreeMap<>(cameras)
                .entrySet().stream()
                        .map(entry -> state(entry.getKey(), entry.getValue(), now))
                        .toList();
    }

    private static CameraState state(String id, Camera camera, long now) {
        CameraStatistics statistics = camera.statistics;
        return new CameraState(
                id,
                statistics.framesPerSecond(now),
                statistics.frames(),
                statistics.events(),
                statistics.deadLetters(),
                camera.dropped,
                statistics.lastCaptureMillis(),
                statistics.lastFrameMillis(),
                statistics.lastEventMillis(),
                camera.lastSeenMillis,
                statistics.condition(now),
                statistics.latency(now),
                statistics.counts(now),
                statistics.eventBuckets(now),
                camera.job.state(now));
    }

    synchronized Totals totals() {
        return new Totals(
                cameras.size(),
                totalFrames,
                totalEvents,
                totalDeadLetters,
                totalDropped,
                forgottenCameras,
                frames.size(),
                bytes);
    }
}
