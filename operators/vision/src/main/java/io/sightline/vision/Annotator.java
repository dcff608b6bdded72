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

/** Draws what was found into a picture, for people to look at. */
public final class Annotator {

    private static final int FONT = opencv_imgproc.FONT_HERSHEY_SIMPLEX;

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
            int thickness = Math.max(1, Math.round(Math.max(frame.width(), frame.height()) / 500f));
            for (DetectedObject object : objects) {
                int[] colour = COLOURS[object.classId() % COLOURS.length];
                draw(picture, object, new Scalar(colour[0], colour[1], colour[2], 0), thickness);
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

    private static void draw(Mat picture, DetectedObject object, Scalar colour, int thickness) {
        BoundingBox box = object.bbox();
        Point topLeft = new Point((int) Math.round(box.x()), (int) Math.round(box.y()));
        Point bottomRight =
                new Point(
                        (int) Math.round(box.x() + box.width()),
                        (int) Math.round(box.y() + box.height()));
        opencv_imgproc.rectangle(
                picture, topLeft, bottomRight, colour, thickness, opencv_imgproc.LINE_AA, 0);
        double scale = 0.4 + 0.15 * thickness;
        // OpenCV's fonts are ASCII.
        String text =
                String.format(Locale.ROOT, "%s %.2f", object.label(), object.confidence())
                        .replaceAll("[^\\x20-\\x7e]", "?");
        int height = (int) Math.round(22 * scale);
        Point at = new Point(topLeft.x(), Math.max(height, topLeft.y() - 2 * thickness));
        opencv_imgproc.putText(
                picture,
                text,
                at,
                FONT,
                scale,
                new Scalar(0, 0, 0, 0),
                3 * thickness,
                opencv_imgproc.LINE_AA,
                false);
        opencv_imgproc.putText(
                picture, text, at, FONT, scale, colour, thickness, opencv_imgproc.LINE_AA, false);
    }
}
