// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.AV_LOG_FATAL;
import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;
import static org.bytedeco.ffmpeg.global.avutil.av_log_set_level;
import static org.bytedeco.ffmpeg.global.avutil.av_strerror;
import static org.bytedeco.opencv.global.opencv_core.CV_8UC3;

import java.io.IOException;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.ffmpeg.avformat.AVIOContext;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.avutil.AVRational;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacv.FFmpegFrameGrabber;
import org.bytedeco.javacv.Frame;
import org.bytedeco.javacv.FrameGrabber;
import org.bytedeco.opencv.opencv_core.Mat;

/**
 * The pictures of a video, in presentation order: of a file, or of a stream at an rtsp:// or
 * http:// address. Sound is not read. Owns its decoder and the one picture it gives again and
 * again; for one thread at a time.
 */
public final class VideoSource implements AutoCloseable {

    static {
        // One line per damaged macroblock would bury what the program itself has to say.
        av_log_set_level(AV_LOG_FATAL);
    }

    /** Scheme, what stands before the path, and the rest. */
    private static final Pattern URL =
            Pattern.compile("([A-Za-z][A-Za-z0-9+.-]*://)([^/?#]*)(.*)", Pattern.DOTALL);

    private static final Pattern MAY_HOLD_PASSWORD = Pattern.compile("[:@]");
    private static final Pattern QUERY = Pattern.compile("[?#].*", Pattern.DOTALL);

    private static final Pattern ERROR_CODE = Pattern.compile("error (-\\d+)");

    /** After so long without a byte a network stream counts as lost, in microseconds. */
    private static final String NETWORK_TIMEOUT_MICROS = "10000000";

    /** Only for streams that tell neither times nor a rate. */
    private static final double ASSUMED_FRAME_RATE = 25;

    private final String location;
    private final boolean live;
    private final FFmpegFrameGrabber grabber;
    private final int width;
    private final int height;
    private final double frameRate;
    private final int timebaseNum;
    private final int timebaseDen;

    private long decoded;
    private Buffer pictureBuffer;
    private BytePointer picturePointer;
    private Mat picture;
    private boolean closed;

    private VideoSource(String location, boolean network, FFmpegFrameGrabber grabber) {
        this.location = location;
        // What is recorded has a length; none, or AV_NOPTS_VALUE, which is below 0, has none yet.
        this.live = network && grabber.getFormatContext().duration() <= 0;
        this.grabber = grabber;
        this.width = grabber.getImageWidth();
        this.height = grabber.getImageHeight();
        double rate = grabber.getVideoFrameRate();
        this.frameRate = Double.isFinite(rate) && rate > 0 ? rate : ASSUMED_FRAME_RATE;
        AVRational timebase =
                grabber.getFormatContext().streams(grabber.getVideoStream()).time_base();
        this.timebaseNum = timebase.num();
        this.timebaseDen = timebase.den();
    }

    /**
     * Opens a video.
     *
     * @param location a file's path, or an address such as {@code rtsp://camera/stream}
     * @throws IOException where there is no such file, it cannot be read as video, or it holds no
     *     pictures; the message is one line and names the location as {@link #shown} does
     */
    public static VideoSource open(String location) throws IOException {
        String shown = shown(location);
        boolean address = URL.matcher(location).matches();
        if (!address) {
            Path file = Path.of(location);
            if (!Files.exists(file)) {
                throw new IOException("video " + shown + ": no such file");
            }
            if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
                throw new IOException("video " + shown + ": not a readable file");
            }
        }
        FFmpegFrameGrabber grabber = new FFmpegFrameGrabber(location);
        String protocol = address ? location.toLowerCase(Locale.ROOT) : "";
        if (protocol.startsWith("rtsp")) {
            // UDP loses packets, and a lost packet is a torn picture.
            grabber.setOption("rtsp_transport", "tcp");
            grabber.setOption("timeout", NETWORK_TIMEOUT_MICROS);
        } else if (protocol.startsWith("http")) {
            grabber.setOption("rw_timeout", NETWORK_TIMEOUT_MICROS);
        }
        try {
            grabber.start();
            if (!grabber.hasVideo() || grabber.getImageWidth() <= 0) {
                throw new IOException("video " + shown + ": it holds no video stream");
            }
            return new VideoSource(shown, address && !protocol.startsWith("file:"), grabber);
        } catch (FrameGrabber.Exception e) {
            releaseAfter(e, grabber);
            String reason = reason(e).replace(location, shown);
            // Whoever prints causes would print the password in the binding's own message.
            throw new IOException(
                    "video " + shown + ": cannot be opened: " + reason,
                    shown.equals(location) ? e : null);
        } catch (IOException | RuntimeException e) {
            releaseAfter(e, grabber);
            throw e;
        }
    }

    /**
     * The next picture, or null at the end of the video. It is valid until the next call.
     *
     * @throws IOException where reading fails before the end
     */
    public VideoFrame next() throws IOException {
        if (closed) {
            throw new IllegalStateException("video " + location + ": closed");
        }
        Frame frame;
        try {
            frame = grabber.grabImage();
        } catch (FrameGrabber.Exception e) {
            throw new IOException("video " + location + ": cannot be read: " + reason(e), e);
        }
        if (frame == null) {
            // The decoder reports a failed read as the end.
            AVIOContext io = grabber.getFormatContext().pb();
            if (io != null && io.error() < 0 && io.error() != AVERROR_EOF()) {
                throw new IOException(
                        "video " + location + ": cannot be read: " + errorText(io.error()));
            }
            return null;
        }
        view(frame);
        // The converted picture carries the times of the decoded one.
        long pts = ((AVFrame) frame.opaque).best_effort_timestamp();
        if (pts == AV_NOPTS_VALUE) {
            pts = Math.round(decoded / frameRate * timebaseDen / timebaseNum);
        }
        decoded++;
        return new VideoFrame(picture, pts, mediaNanos(pts));
    }

    /**
     * A location as messages name it: of an address without user, password and query, which may
     * hold them too. A password with / ? or # that is not escaped cannot be told from a path: of an
     * address that may have one nothing is shown but its scheme.
     */
    public static String shown(String location) {
        Matcher url = URL.matcher(location);
        if (!url.matches()) {
            return location;
        }
        String scheme = url.group(1);
        String authority = url.group(2);
        String rest = url.group(3);
        int at = rest.lastIndexOf('@');
        if (at >= 0 && MAY_HOLD_PASSWORD.matcher(authority + rest.substring(0, at)).find()) {
            return scheme + "…";
        }
        // As FFmpeg reads it: the last @ before the path ends user and password.
        return scheme
                + authority.substring(authority.lastIndexOf('@') + 1)
                + QUERY.matcher(rest).replaceFirst("");
    }

    /** Where the video comes from, as {@link #shown}. */
    public String location() {
        return location;
    }

    /**
     * Whether pictures come as they are filmed: from an address that tells no length. Their end is
     * then that of the connection.
     */
    public boolean live() {
        return live;
    }

    /** Picture width in pixels. */
    public int width() {
        return width;
    }

    /** Picture height in pixels. */
    public int height() {
        return height;
    }

    /** Pictures per second on average; 25 where the video does not say. */
    public double frameRate() {
        return frameRate;
    }

    /** Seconds per unit of {@link VideoFrame#pts()}, as a fraction: {@code 1/12800}. */
    public String timebase() {
        return timebaseNum + "/" + timebaseDen;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        releasePicture();
        try {
            grabber.close();
        } catch (FrameGrabber.Exception e) {
            throw new IllegalStateException("video " + location + ": cannot be closed", e);
        }
    }

    private long mediaNanos(long pts) {
        return Math.round((double) pts * timebaseNum / timebaseDen * 1e9);
    }

    /** A Mat over the decoder's own memory: nothing is copied, and rows keep their padding. */
    private void view(Frame frame) {
        Buffer buffer = frame.image[0];
        if (picture != null
                && buffer == pictureBuffer
                && picture.cols() == frame.imageWidth
                && picture.rows() == frame.imageHeight) {
            return;
        }
        releasePicture();
        pictureBuffer = buffer;
        picturePointer = new BytePointer((ByteBuffer) buffer);
        picture =
                new Mat(
                        frame.imageHeight,
                        frame.imageWidth,
                        CV_8UC3,
                        picturePointer,
                        frame.imageStride);
    }

    private void releasePicture() {
        if (picture != null) {
            picture.close();
            picturePointer.close();
            picture = null;
            pictureBuffer = null;
        }
    }

    private static void releaseAfter(Exception failure, FFmpegFrameGrabber grabber) {
        try {
            grabber.close();
        } catch (FrameGrabber.Exception e) {
            failure.addSuppressed(e);
        }
    }

    /** FFmpeg's own words for the code in the message, in place of the binding's. */
    private static String reason(FrameGrabber.Exception e) {
        Matcher code = ERROR_CODE.matcher(String.valueOf(e.getMessage()));
        return code.find()
                ? errorText(Integer.parseInt(code.group(1)))
                : String.valueOf(e.getMessage());
    }

    private static String errorText(int code) {
        byte[] text = new byte[128];
        av_strerror(code, text, text.length);
        int length = 0;
        while (length < text.length && text[length] != 0) {
            length++;
        }
        return new String(text, 0, length, StandardCharsets.US_ASCII);
    }
}
