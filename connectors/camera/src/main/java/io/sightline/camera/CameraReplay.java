// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Plays videos as cameras. Each video has one thread; a picture is decoded and encoded once and
 * given out for each camera that plays the video, stamped with the time at which it is given out.
 *
 * <p>A frame is made ready before it is due, so that encoding does not delay it. A replay that
 * falls behind its pace leaves nothing out: it gives frames without pause until it has caught up.
 *
 * <p>When a video begins anew, its cameras' epoch rises by one and seq and pts start over. A live
 * stream that is lost is connected to again, after pauses that double from 1 s to 30 s, while the
 * others play on.
 */
public final class CameraReplay implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(CameraReplay.class);

    private static final long FIRST_PAUSE_NANOS = 1_000_000_000L;
    private static final long LONGEST_PAUSE_NANOS = 30_000_000_000L;

    private final ReplayPlan plan;
    private final FrameSink sink;
    private final ReplayClock clock;
    private final Map<String, AtomicLong> sent = new LinkedHashMap<>();
    private final ExecutorService threads;
    private volatile boolean stopping;

    /** A replay to a sink that stays the caller's to close. */
    public CameraReplay(ReplayPlan plan, FrameSink sink, ReplayClock clock) {
        this.plan = plan;
        this.sink = sink;
        this.clock = clock;
        plan.cameraIds().forEach(id -> sent.put(id, new AtomicLong()));
        this.threads =
                Executors.newFixedThreadPool(
                        plan.videos().size(),
                        task -> {
                            Thread thread = new Thread(task, "camera-replay");
                            thread.setDaemon(true);
                            return thread;
                        });
    }

    /**
     * Plays to the end of the videos, the end of the duration, or {@link #close()}, whichever comes
     * first, and returns when all frames given out are delivered. May be called once.
     *
     * @return frames per camera, all of them delivered
     * @throws IOException where a video cannot be read or a frame cannot be delivered; all videos
     *     are opened before the first frame is given out
     * @throws InterruptedException where the calling thread is interrupted; the replay has stopped
     */
    public Map<String, Long> run() throws IOException, InterruptedException {
        List<VideoSource> sources = openAll();
        try {
            ExecutorCompletionService<Void> playing = new ExecutorCompletionService<>(threads);
            for (int video = 0; video < sources.size() && !stopping; video++) {
                playing.submit(new Player(video, sources.get(video)));
            }
            for (int video = 0; video < sources.size() && !stopping; video++) {
                playing.take().get();
            }
        } catch (ExecutionException e) {
            throw rethrow(e.getCause());
        } finally {
            stopAndWait();
            sources.forEach(VideoSource::close);
        }
        sink.flush();
        return sent();
    }

    /** Frames given out so far, per camera. */
    public Map<String, Long> sent() {
        Map<String, Long> counts = new LinkedHashMap<>();
        sent.forEach((camera, count) -> counts.put(camera, count.get()));
        return Collections.unmodifiableMap(counts);
    }

    /** Ends the replay after the frame at hand; {@link #run()} then returns. */
    @Override
    public void close() {
        stopping = true;
        threads.shutdownNow();
    }

    /**
     * The first pictures of a video as JPEG files, in order.
     *
     * @param limit how many at most
     */
    public static List<byte[]> encodeAll(String video, int jpegQuality, int limit)
            throws IOException {
        List<byte[]> pictures = new ArrayList<>();
        try (VideoSource source = VideoSource.open(video);
                JpegEncoder encoder = new JpegEncoder(jpegQuality)) {
            while (pictures.size() < limit) {
                VideoFrame frame = source.next();
                if (frame == null) {
                    break;
                }
                pictures.add(encoder.encode(frame));
            }
        }
        return pictures;
    }

    private List<VideoSource> openAll() throws IOException {
        List<VideoSource> sources = new ArrayList<>();
        try {
            for (String video : plan.videos()) {
                sources.add(VideoSource.open(video));
            }
            return sources;
        } catch (IOException | RuntimeException e) {
            sources.forEach(VideoSource::close);
            throw e;
        }
    }

    /** No picture may be freed under a thread that still works on it. */
    private void stopAndWait() {
        close();
        boolean interrupted = false;
        while (true) {
            try {
                if (threads.awaitTermination(1, TimeUnit.MINUTES)) {
                    break;
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static IOException rethrow(Throwable failure) throws IOException {
        if (failure instanceof IOException e) {
            throw e;
        }
        if (failure instanceof Error e) {
            throw e;
        }
        if (failure instanceof RuntimeException e) {
            throw e;
        }
        throw new IllegalStateException("replay: failed", failure);
    }

    /** A live stream ended or failed, as the cause says: an end for it alone. */
    private static final class LostException extends IOException {

        private static final long serialVersionUID = 1L;

        private LostException(IOException cause) {
            super(cause);
        }
    }

    /** Plays one video; runs on a thread of its own. */
    private final class Player implements Callable<Void> {

        private final String video;
        private final List<String> cameras = new ArrayList<>();
        private final VideoSource first;

        /**
         * Begins with the first picture, as the duration does: to open and to warm up takes time
         * that is no camera's.
         */
        private Pace.Schedule schedule;

        private long startNanos;
        private long pauseNanos = FIRST_PAUSE_NANOS;

        private Player(int index, VideoSource first) {
            this.video = plan.videos().get(index);
            for (int i = index; i < plan.cameraIds().size(); i += plan.videos().size()) {
                cameras.add(plan.cameraIds().get(i));
            }
            this.first = first;
        }

        @Override
        public Void call() throws IOException {
            startNanos = clock.nanoTime();
            try (JpegEncoder encoder = new JpegEncoder(plan.jpegQuality())) {
                boolean ended = playOrLose(first, 0, encoder);
                first.close();
                for (long epoch = 1; ended && plan.loop(); epoch++) {
                    try (VideoSource again = first.live() ? reconnect() : VideoSource.open(video)) {
                        ended = again != null && playOrLose(again, epoch, encoder);
                    }
                }
            } catch (InterruptedException e) {
                // Only stopping interrupts these threads; the frame at hand is not given out.
                Thread.currentThread().interrupt();
            }
            return null;
        }

        private boolean playOrLose(VideoSource source, long epoch, JpegEncoder encoder)
                throws IOException, InterruptedException {
            try {
                return play(source, epoch, encoder);
            } catch (LostException e) {
                if (!plan.loop()) {
                    throw new IOException(
                            named(e.getCause()) + "; replay --loop connects again", e.getCause());
                }
                reportLoss(e.getCause());
                return true;
            }
        }

        /** The stream as soon as it is there again, or null where the duration ends before. */
        private VideoSource reconnect() throws InterruptedException {
            schedule = null;
            while (!stopping && remainingNanos() > 0) {
                clock.sleepUntil(clock.nanoTime() + Math.min(pauseNanos, remainingNanos()));
                pauseNanos = Math.min(2 * pauseNanos, LONGEST_PAUSE_NANOS);
                try {
                    return VideoSource.open(video);
                } catch (IOException e) {
                    reportLoss(e);
                }
            }
            return null;
        }

        private void reportLoss(Throwable reason) {
            LOG.warn(
                    "{}; connecting again in {} s",
                    named(reason),
                    TimeUnit.NANOSECONDS.toSeconds(pauseNanos));
        }

        private String named(Throwable reason) {
            return "camera " + String.join(", ", cameras) + ": " + reason.getMessage();
        }

        private long remainingNanos() {
            return plan.duration() == null
                    ? Long.MAX_VALUE
                    : startNanos + plan.duration().toNanos() - clock.nanoTime();
        }

        /** The next picture or null; of a live stream, none is a loss. */
        private VideoFrame next(VideoSource source) throws IOException {
            if (!source.live()) {
                return source.next();
            }
            try {
                VideoFrame frame = source.next();
                if (frame == null && !stopping) {
                    throw new IOException("video " + source.location() + ": the stream has ended");
                }
                return frame;
            } catch (IOException e) {
                throw new LostException(e);
            }
        }

        /** Whether the video came to its end, rather than the replay to its own. */
        private boolean play(VideoSource source, long epoch, JpegEncoder encoder)
                throws IOException, InterruptedException {
            for (long seq = 0; !stopping; seq++) {
                VideoFrame frame = next(source);
                if (stopping) {
                    return false;
                }
                if (frame == null) {
                    if (seq == 0) {
                        throw new IOException(
                                "video " + source.location() + ": no picture could be decoded");
                    }
                    return true;
                }
                byte[] jpeg = encoder.encode(frame);
                if (schedule == null) {
                    long now = clock.nanoTime();
                    startNanos = epoch == 0 ? now : startNanos;
                    schedule = pace(source).schedule(now, source.frameRate());
                }
                long due = schedule.dueNanos(frame.mediaNanos());
                if (plan.duration() != null
                        && Math.max(due, clock.nanoTime()) - startNanos
                                >= plan.duration().toNanos()) {
                    return false;
                }
                clock.sleepUntil(due);
                long captureTimeMillis = clock.currentTimeMillis();
                for (String camera : cameras) {
                    sink.accept(
                            new EncodedFrame(
                                    camera,
                                    jpeg,
                                    captureTimeMillis,
                                    seq,
                                    epoch,
                                    frame.pts(),
                                    source.timebase()));
                    sent.get(camera).incrementAndGet();
                }
                pauseNanos = FIRST_PAUSE_NANOS;
            }
            return false;
        }

        /** Its sender paces a live stream; to wait by that one's clock could only add delay. */
        private Pace pace(VideoSource source) {
            boolean asItComes = source.live() && plan.pace() == Pace.asFilmed();
            return asItComes ? Pace.unlimited() : plan.pace();
        }
    }
}
