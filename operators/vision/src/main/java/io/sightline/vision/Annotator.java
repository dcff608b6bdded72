// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.events.DetectionEvent.DetectedObject;
import java.util.List;
import java.util.Locale;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.opencv.global.opencv_imgcodecs;
import org.bytedeco.opencv.global.opencv_imgproc;
import org.bytedeco.opencv.opencv_core.Mat;
import org.bytedeco.opencv.opencv_core.Point;
import org.bytedeco.opencv.opencv_core.Scalar;
import org.bytedeco.opencv.opencv_core.Size;

/** Draws what was found into a picture, for people to look at. */
public final class Annotator {

    private static final int FONT = opencv_imgproc.FONT_HERSHEY_SIMPLEX;

    /** Around a label's text, pixels. */
    private static final int PADDING = 2;

    /** Colours of a higher luminance carry black text, the others white. */
    private static final int BRIGHT = 120;

    /** Blue, green, red: far apart, and readable on most pictures. */
    private static final int[][] COLOURS = {
        {60, 180, 75}, {230, 120, 0}, {0, 130, 245}, {180, 30, 145}, {200, 200, 0}, {40, 40, 230}
    };

    private Annotator() {}

    /** The picture with boxes, labels and confidences, as JPEG; the frame itself is not changed. */
    public static byte[] draw(DecodedFrame frame, List<DetectedObject> objects) {
        PointerScope scope = new PointerScope();
        try (scope) {
            Mat picture = frame.pixels().clone();
            int thickness = Math.max(2, Math.round(Math.max(frame.width(), frame.height()) / 400f));
            for (DetectedObject object : objects) {
                int[] colour = COLOURS[object.classId() % COLOURS.length];
                draw(picture, object, colour, thickness);
            }
            BytePointer jpeg = new BytePointer();
            if (!opencv_imgcodecs.imencode(".jpg", picture, jpeg)) {
                throw new IllegalStateException(
                        "a picture of " + frame.width() + "x" + frame.height() + " cannot be JPEG");
            }
            byte[] bytes = new byte[(int) jpeg.limit()];
            jpeg.get(bytes);
            return bytes;
        }
    }

    private static void draw(Mat picture, DetectedObject object, int[] colour, int thickness) {
        BoundingBox box = object.bbox();
        Point topLeft = new Point((int) Math.round(box.x()), (int) Math.round(box.y()));
        Point bottomRight =
                new Point(
                        (int) Math.round(box.x() + box.width()),
                        (int) Math.round(box.y() + box.height()));
        Scalar paint = new Scalar(colour[0], colour[1], colour[2], 0);
        opencv_imgproc.rectangle(
                picture, topLeft, bottomRight, paint, thickness, opencv_imgproc.LINE_8, 0);

        double scale = 0.2 + 0.15 * thickness;
        int stroke = Math.max(1, thickness / 2);
        // OpenCV's fonts are ASCII.
        String text =
                String.format(Locale.ROOT, "%s %.2f", object.label(), object.confidence())
                        .replaceAll("[^\\x20-\\x7e]", "?");
        int[] baseline = new int[1];
        Size size = opencv_imgproc.getTextSize(text, FONT, scale, stroke, baseline);
        int width = size.width() + 2 * PADDING;
        int height = size.height() + baseline[0] + 2 * PADDING;
        // On top of the box; inside it where the picture ends above, and never beyond the right.
        int left = Math.max(0, Math.min(topLeft.x(), picture.cols() - width));
        int top = topLeft.y() < height ? topLeft.y() : topLeft.y() - height;
        opencv_imgproc.rectangle(
                picture,
                new Point(left, top),
                new Point(left + width, top + height),
                paint,
                opencv_imgproc.FILLED,
                opencv_imgproc.LINE_8,
                0);
        int ink = luminance(colour) > BRIGHT ? 0 : 255;
        opencv_imgproc.putText(
                picture,
                text,
                new Point(left + PADDING, top + PADDING + size.height()),
                FONT,
                scale,
                new Scalar(ink, ink, ink, 0),
                stroke,
                opencv_imgproc.LINE_AA,
                false);
    }

    /** Of a colour as blue, green, red: 0..255. */
    private static double luminance(int[] colour) {
        return 0.114 * colour[0] + 0.587 * colour[1] + 0.299 * colour[2];
    }
}
