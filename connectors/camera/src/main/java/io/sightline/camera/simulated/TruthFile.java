// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes truth as JSON lines, one frame a line. For any number of threads. */
public final class TruthFile implements TruthSink, AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final BufferedWriter writer;

    /**
     * Creates the file, or empties it.
     *
     * @throws IOException where it cannot be written
     */
    public TruthFile(Path file) throws IOException {
        this.writer = Files.newBufferedWriter(file);
    }

    @Override
    public synchronized void accept(FrameTruth truth) throws IOException {
        writer.write(line(truth));
        writer.write('\n');
        // Whoever stops the cameras still finds all that was given out.
        writer.flush();
    }

    @Override
    public synchronized void close() throws IOException {
        writer.close();
    }

    private static String line(FrameTruth truth) throws IOException {
        ObjectNode frame = JSON.createObjectNode();
        frame.put("camera", truth.cameraId());
        frame.put("epoch", truth.epoch());
        frame.put("seq", truth.seq());
        frame.put("captureTimeMillis", truth.captureTimeMillis());
        frame.put("width", truth.width());
        frame.put("height", truth.height());
        ArrayNode objects = frame.putArray("objects");
        for (TrueObject object : truth.objects()) {
            ObjectNode node = objects.addObject();
            node.put("id", object.id());
            node.put("class", object.objectClass().label());
            ArrayNode box = node.putArray("box");
            box.add(hundredths(object.x1()));
            box.add(hundredths(object.y1()));
            box.add(hundredths(object.x2()));
            box.add(hundredths(object.y2()));
            node.put("occluded", hundredths(object.occluded()));
            node.put("outside", hundredths(object.outside()));
        }
        return JSON.writeValueAsString(frame);
    }

    private static double hundredths(double value) {
        return Math.rint(value * 100) / 100;
    }
}
