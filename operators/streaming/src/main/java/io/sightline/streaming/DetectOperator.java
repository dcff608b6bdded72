// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import io.sightline.events.CameraFrameCodec;
import io.sightline.events.CameraStatus;
import io.sightline.events.DeadLetter;
import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEventCodec;
import io.sightline.events.DropReason;
import io.sightline.events.EventId;
import io.sightline.events.FrameRecord;
import io.sightline.events.FrameRejectedException;
import io.sightline.events.Rejection;
import io.sightline.inference.BackendFactory;
import io.sightline.inference.BatchSlot;
import io.sightline.inference.BatchingPolicy;
import io.sightline.inference.FrameOutputException;
import io.sightline.inference.FrameSubmitter;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import io.sightline.inference.MicroBatcher;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.NanoClock;
import io.sightline.inference.ProcessUnusableException;
import io.sightline.inference.SharedBatchers;
import io.sightline.vision.DecodedFrame;
import io.sightline.vision.DetectionReader;
import io.sightline.vision.Detections;
import io.sightline.vision.FrameDecoder;
import io.sightline.vision.Letterbox;
import io.sightline.vision.NmsSettings;
import io.sightline.vision.OpenCvFrameDecoder;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.event.WatermarkEvent;
import org.apache.flink.runtime.execution.Environment;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.LatencyMarker;
import org.apache.flink.streaming.runtime.streamrecord.RecordAttributes;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.util.ExceptionUtils;
import org.apache.flink.util.IOUtils;
import org.apache.flink.util.OutputTag;

/**
 * Frames in, detection events out: one for each that is not given up, in order for each camera.
 *
 * <pre>
 *   element ──> admission room ──> reserve a slot, decode ──> claim it ──> letterbox in place ──> commit ──> lanes
 *                     └─ drops                   └────────> in flight, in this order <── mail <── parsed, suppressed ──┘
 * </pre>
 *
 * <p>Everything but the lanes happens on the task's thread. It never waits for a slot in a lock:
 * where none is free it stands in the batcher's line and goes on; the wake-up and every result
 * arrive as mails. It yields to its mailbox only where it must stop reading: nothing may go for a
 * frame that the room has no place for, too many wait behind one that takes long, or a barrier or
 * the end of the input asks for an empty operator. Since nothing is in flight when a barrier
 * passes, the operator has no state: no frame and no pixel is ever part of a checkpoint, and
 * exactly-once follows from the source's offsets and the sinks.
 *
 * <p>What became of each camera's frames since the last checkpoint goes out before the barrier, as
 * a record like the events: a drop that no checkpoint holds is as if it had never been decided.
 *
 * <p>Whatever is not a frame (watermarks, watermark status, latency markers, record attributes)
 * queues behind the frames it follows.
 *
 * <p>A frame that cannot be decoded, or for which the network gives no numbers, becomes a dead
 * letter in its turn. An engine that fails fails the task: the frames are read again after the
 * restart, and no event ever claims an empty scene for them. One that leaves the process unable to
 * run any engine ends the process.
 */
public final class DetectOperator extends AbstractStreamOperator<DetectionEvent>
        implements OneInputStreamOperator<FrameRecord, DetectionEvent>, BoundedOneInput {

    /** Frames that cannot be analysed, with the reason. */
    public static final OutputTag<DeadLetter> DEAD_LETTERS =
            new OutputTag<>("dead-letters", TypeInformation.of(DeadLetter.class));

    /** What became of each camera's frames, one for each camera and checkpoint. */
    public static final OutputTag<CameraStatus> CAMERA_STATUS =
            new OutputTag<>("camera-status", TypeInformation.of(CameraStatus.class));

    /**
     * Frames in flight for each slot, those among them whose results wait behind one that takes
     * long: enough for lanes of very different speed, and a bound where one hangs.
     */
    private static final int IN_FLIGHT_PER_SLOT = 4;

    /** Of this process and class loader: with the natives in the cluster's lib/, of one job. */
    private static final SharedBatchers<Detections> BATCHERS = new SharedBatchers<>();

    private record BatcherKey(
            JobID job,
            BackendFactory backend,
            int lanes,
            int buffersPerLane,
            Duration maxBatchDelay) {}

    private final DetectSettings settings;
    private final MailboxExecutor mailbox;
    private final NanoClock clock;
    private final InstantSource wallClock;
    private final AtomicBoolean mailUnderWay = new AtomicBoolean();
    private final Runnable finished = this::finished;

    private transient SharedBatchers<Detections>.Lease lease;
    private transient FrameSubmitter<Detections> submitter;
    private transient FrameDecoder decoder;
    private transient Letterbox letterbox;
    private transient ModelSpec spec;
    private transient DetectionEvent.Model model;
    private transient AdmissionRoom room;
    private transient Deque<PendingFrame> inFlight;
    private transient Marks marks;
    private transient DetectMetrics frameMetrics;
    private transient Cameras cameras;
    private transient int subtask;
    private transient int maxInFlight;
    private transient StreamRecord<DetectionEvent> eventRecord;

    /** Encoded bytes of rejected frames that wait for their turn: the room has let them go. */
    private transient long rejectedBytes;

    /** Decoded and waiting for a slot; its pixels are in {@code picture}. */
    private transient PendingFrame decoded;

    private transient DecodedFrame picture;
    private transient boolean draining;
    private transient boolean ended;
    private volatile boolean gone;

    DetectOperator(
            StreamOperatorParameters<DetectionEvent> parameters,
            DetectSettings settings,
            NanoClock clock,
            InstantSource wallClock) {
        super(parameters);
        this.settings = settings;
        this.clock = clock;
        this.wallClock = wallClock;
        this.mailbox = parameters.getMailboxExecutor();
    }

    @Override
    public void open() throws Exception {
        super.open();
        NativeLibraries.requireShareable();
        BackendFactory backend =
                settings.backend()
                        .onGpus(
                                AssignedGpus.indices(
                                        getRuntimeContext()
                                                .getExternalResourceInfos(AssignedGpus.RESOURCE)));
        int lanes = settings.lanes() > 0 ? settings.lanes() : backend.defaultLanes();
        BatcherKey key =
                new BatcherKey(
                        getRuntimeContext().getJobInfo().getJobId(),
                        backend,
                        lanes,
                        settings.buffersPerLane(),
                        settings.maxBatchDelay());
        try {
            lease = BATCHERS.acquire(key, () -> openBatcher(backend, lanes));
        } catch (InferenceException e) {
            throw unlessTheProcessHasToEnd(e);
        }
        MicroBatcher<Detections> batcher = lease.batcher();
        submitter = batcher.newSubmitter(this::postMail);
        spec = batcher.spec();
        model =
                new DetectionEvent.Model(
                        spec.name(), spec.sha256(), spec.precision(), settings.backend().backend());
        decoder = new OpenCvFrameDecoder(settings.frameLimits());
        letterbox = new Letterbox(spec, settings.interpolation());
        room =
                new AdmissionRoom(
                        settings.roomFrames(),
                        settings.roomBytes(),
                        settings.overload().maxAgeMillis(),
                        this::dropped);
        inFlight = new ArrayDeque<>();
        maxInFlight = IN_FLIGHT_PER_SLOT * batcher.slots();
        marks = new Marks();
        frameMetrics = new DetectMetrics(getMetricGroup(), batcher);
        cameras = new Cameras(frameMetrics.group(), settings, clock);
        subtask = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
        eventRecord = new StreamRecord<>(null);
    }

    private MicroBatcher<Detections> openBatcher(BackendFactory backend, int lanes) {
        Environment environment = getContainingTask().getEnvironment();
        Configuration taskManager = environment.getTaskManagerInfo().getConfiguration();
        MemoryPlan plan =
                MemoryPlan.of(
                        backend,
                        lanes,
                        settings.frameLimits(),
                        MemoryPlan.subtasksHere(environment));
        plan.requireOfThisProcess(taskManager);
        List<InferenceBackend> backends = backend.open(lanes);
        try {
            plan.withBuffers(backends.get(0), lanes * settings.buffersPerLane())
                    .requireOfThisProcess(taskManager);
            ModelSpec network = backends.get(0).spec();
            NmsSettings nms = NmsSettings.infer(network, settings.confidence(), settings.iou());
            return new MicroBatcher<>(
                    backends,
                    settings.buffersPerLane(),
                    () -> new DetectionReader(network, nms),
                    new BatchingPolicy(settings.maxBatchDelay()),
                    clock);
        } catch (RuntimeException | Error e) {
            // Also where the batcher has closed them: they can be closed twice.
            backends.forEach(InferenceBackend::close);
            throw e;
        }
    }

    @Override
    public void processElement(StreamRecord<FrameRecord> element) throws Exception {
        // The record, never the StreamRecord around it, which Flink reuses.
        FrameRecord record = element.getValue();
        while (inFlight.size() >= maxInFlight || rejectedBytes > settings.roomBytes()) {
            mailbox.yield();
        }
        PendingFrame frame = new PendingFrame(finished, record, clock.nanoTime());
        frame.stretch = marks.arrived();
        try {
            frame.frame = CameraFrameCodec.decode(record, settings.maxFrameBytes());
            frame.camera = cameras.of(frame.frame.cameraId());
            frameMetrics.malformedHeaders.inc(frame.frame.malformedHeaders());
        } catch (FrameRejectedException e) {
            String id = CameraFrameCodec.readableCameraId(record.key());
            frame.camera = id == null ? cameras.rest() : cameras.of(id);
            reject(frame, e);
        }
        frameMetrics.totals.framesIn.inc();
        frame.camera.frameIn(frame.frame, wallClock.millis(), frame.arrivedNanos);
        if (frame.done()) {
            inFlight.addLast(frame);
        } else {
            while (!room.offer(frame, wallClock.millis())) {
                mailbox.yield();
            }
        }
        advance();
    }

    private void reject(PendingFrame frame, FrameRejectedException reason) {
        frame.reject(reason);
        rejectedBytes += frame.encodedBytes();
    }

    /** As far as it goes without waiting: frames into slots, results out. */
    private void advance() throws Exception {
        try {
            emitDone();
            while (decoded != null || decodeNext()) {
                BatchSlot<Detections> slot = submitter.tryClaim();
                if (slot == null) {
                    return;
                }
                submit(slot);
                emitDone();
            }
            emitDone();
        } catch (InferenceException e) {
            throw unlessTheProcessHasToEnd(e);
        }
    }

    /** With nothing in flight a subtask would hold a dead batcher until its next frame. */
    private void requireRunning() {
        try {
            submitter.requireRunning();
        } catch (InferenceException e) {
            throw unlessTheProcessHasToEnd(e);
        }
    }

    /** Restarts in this process would fail for ever; for an InternalError Flink ends it. */
    private static InferenceException unlessTheProcessHasToEnd(InferenceException failure) {
        if (ExceptionUtils.findThrowable(failure, ProcessUnusableException.class).isPresent()) {
            throw new InternalError(
                    "no engine can run in this process any more: it ends, and has to be started anew",
                    failure);
        }
        return failure;
    }

    /**
     * Decodes the next frame, if there is one and a slot for it. Not before: until then it is in
     * the room, where a newer one may take its place.
     */
    private boolean decodeNext() throws Exception {
        while (room.size() > 0) {
            if (!submitter.reserve()) {
                return false;
            }
            PendingFrame frame = room.poll(wallClock.millis());
            if (frame != null && decode(frame)) {
                return true;
            }
        }
        submitter.withdraw();
        return false;
    }

    /** Whether it can be decoded; else it waits for its turn as a dead letter. */
    private boolean decode(PendingFrame frame) {
        inFlight.addLast(frame);
        frame.decodeStartNanos = clock.nanoTime();
        try {
            picture = decoder.decode(frame.frame.image());
        } catch (FrameRejectedException e) {
            reject(frame, e);
            return false;
        }
        if (picture.endMarkerMissing()) {
            frameMetrics.missingEndMarkers.inc();
        }
        frame.imageWidth = picture.width();
        frame.imageHeight = picture.height();
        frame.decodedNanos = clock.nanoTime();
        decoded = frame;
        return true;
    }

    private void submit(BatchSlot<Detections> slot) {
        PendingFrame frame = decoded;
        boolean written = false;
        try {
            frame.claimedNanos = clock.nanoTime();
            frame.geometry = letterbox.write(picture, slot.pixels());
            frame.committedNanos = clock.nanoTime();
            written = true;
        } finally {
            if (written) {
                slot.commit(frame);
            } else {
                slot.abort();
            }
        }
        decoded = null;
        picture = null;
        if (draining) {
            submitter.sealNow();
        }
    }

    private void emitDone() throws Exception {
        PendingFrame first = inFlight.peekFirst();
        while (first != null && first.done()) {
            inFlight.removeFirst();
            if (first.rejection != null) {
                rejectedBytes -= first.encodedBytes();
            }
            emit(first);
            marks.left(first.stretch);
            first = inFlight.peekFirst();
        }
    }

    /** Empties the operator: everything that arrived has left when this returns. */
    private void drain() throws Exception {
        long start = clock.nanoTime();
        draining = true;
        try {
            submitter.sealNow();
            advance();
            while (marks.frames() > 0) {
                mailbox.yield();
            }
        } finally {
            draining = false;
        }
        frameMetrics.drained(clock.nanoTime() - start);
    }

    @Override
    public void prepareSnapshotPreBarrier(long checkpointId) throws Exception {
        drain();
        if (!ended) {
            emitStatuses(checkpointId);
        }
    }

    @Override
    public void endInput() throws Exception {
        drain();
        emitStatuses(null);
        ended = true;
    }

    /**
     * @param checkpoint null at the end of the input
     */
    private void emitStatuses(Long checkpoint) {
        long now = wallClock.millis();
        long silentAfter = settings.silentAfter().toMillis();
        for (Camera camera : cameras.all()) {
            if (camera.worthAStatus()) {
                emit(
                        camera.takeStatus(checkpoint, subtask, now, clock.nanoTime(), silentAfter),
                        now);
            }
        }
    }

    private void emit(CameraStatus status, long nowMillis) {
        output.collect(CAMERA_STATUS, new StreamRecord<>(status, nowMillis));
    }

    /** The room has given a frame up. */
    private void dropped(PendingFrame frame, DropReason reason) throws Exception {
        frameMetrics.totals.dropped(reason);
        frame.camera.dropped(frame.record, reason);
        if (frame.camera.manyDrops()) {
            long now = wallClock.millis();
            emit(
                    frame.camera.takeDrops(
                            subtask, now, clock.nanoTime(), settings.silentAfter().toMillis()),
                    now);
        }
        marks.left(frame.stretch);
    }

    /**
     * From any thread: there is something to do. One mail at a time is enough, since it does all
     * there is.
     */
    private void postMail() {
        if (!mailUnderWay.compareAndSet(false, true)) {
            return;
        }
        mailbox.execute(this::onMail, "detect: results or a free slot");
    }

    private void onMail() throws Exception {
        mailUnderWay.set(false);
        if (!gone) {
            requireRunning();
            advance();
        }
    }

    @Override
    public void close() throws Exception {
        gone = true;
        if (inFlight != null) {
            inFlight.clear();
        }
        IOUtils.closeAll(submitter, letterbox, decoder, lease, super::close);
    }

    /** A lane has finished a frame; called from its thread. */
    private void finished() {
        if (gone) {
            return;
        }
        try {
            postMail();
        } catch (RejectedExecutionException e) {
            // The task was cancelled meanwhile: nobody waits for this frame any more.
            gone = true;
        }
    }

    private void emit(PendingFrame frame) {
        if (frame.failure instanceof FrameOutputException e) {
            emitDeadLetter(frame, Rejection.UNREADABLE_OUTPUT, e.getMessage());
            return;
        }
        if (frame.failure != null) {
            throw new InferenceException(
                    "inference failed for the frame at " + frame.record.position(), frame.failure);
        }
        if (frame.rejection != null) {
            emitDeadLetter(frame, frame.rejection.reason(), frame.rejection.getMessage());
            return;
        }
        long queueNanos =
                frame.decodeStartNanos
                        - frame.arrivedNanos
                        + frame.claimedNanos
                        - frame.decodedNanos
                        + frame.timing.startedNanos()
                        - frame.committedNanos;
        output.collect(
                eventRecord.replace(event(frame, queueNanos), frame.record.timestampMillis()));
        frameMetrics.frameDone(frame, queueNanos);
        frameMetrics.totals.eventsOut.inc();
        frame.camera.eventOut();
    }

    private void emitDeadLetter(PendingFrame frame, Rejection reason, String message) {
        output.collect(
                DEAD_LETTERS, new StreamRecord<>(new DeadLetter(frame.record, reason, message)));
        frameMetrics.totals.deadLetters.inc();
        frame.camera.deadLetterOut();
    }

    private DetectionEvent event(PendingFrame pendingFrame, long queueNanos) {
        FrameRecord record = pendingFrame.record;
        var frame = pendingFrame.frame;
        var timing = pendingFrame.timing;
        return new DetectionEvent(
                DetectionEvent.SCHEMA,
                EventId.of(record.topic(), record.partition(), record.offset(), spec.sha256()),
                frame.cameraId(),
                frame.epoch(),
                frame.seq(),
                DetectionEventCodec.formatTime(frame.captureTimeMillis()),
                new DetectionEvent.Source(record.topic(), record.partition(), record.offset()),
                new DetectionEvent.Image(pendingFrame.imageWidth, pendingFrame.imageHeight),
                model,
                pendingFrame.detections.toObjects(pendingFrame.geometry, spec.labels()),
                new DetectionEvent.Timing(
                        millis(queueNanos),
                        millis(pendingFrame.decodedNanos - pendingFrame.decodeStartNanos),
                        millis(pendingFrame.committedNanos - pendingFrame.claimedNanos),
                        millis(timing.inferredNanos() - timing.startedNanos()),
                        millis(timing.readNanos()),
                        timing.batchSize(),
                        wallClock.millis() - frame.captureTimeMillis()),
                frame.traceparent());
    }

    /** Milliseconds with three decimals. */
    private static double millis(long nanos) {
        return Math.round(nanos / 1e3) / 1e3;
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        marks.behindFrames(() -> super.processWatermark(mark));
    }

    @Override
    public void processWatermark(WatermarkEvent watermark) throws Exception {
        marks.behindFrames(() -> super.processWatermark(watermark));
    }

    @Override
    public void processWatermarkStatus(WatermarkStatus status) throws Exception {
        marks.behindFrames(() -> super.processWatermarkStatus(status));
    }

    @Override
    public void processLatencyMarker(LatencyMarker marker) throws Exception {
        marks.behindFrames(() -> super.processLatencyMarker(marker));
    }

    @Override
    public void processRecordAttributes(RecordAttributes attributes) throws Exception {
        marks.behindFrames(() -> super.processRecordAttributes(attributes));
    }
}
