// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.sightline.events.DetectionEvent;
import io.sightline.events.FrameRejectedException;
import io.sightline.inference.BatchBuffer;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.ModelSpec;
import io.sightline.job.ModelChoice;
import io.sightline.job.UserException;
import io.sightline.vision.Annotator;
import io.sightline.vision.DecodedFrame;
import io.sightline.vision.DetectionReader;
import io.sightline.vision.FrameLimits;
import io.sightline.vision.Letterbox;
import io.sightline.vision.LetterboxGeometry;
import io.sightline.vision.OpenCvFrameDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code ./sightline detect}: single pictures through the same decode, letterbox, engine and parser
 * as the job's frames.
 */
@Command(
        name = "detect",
        description = "Detect objects in single pictures, without Kafka.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class DetectCommand implements Callable<Integer> {

    @Parameters(arity = "1..*", paramLabel = "IMAGE", description = "JPEG, PNG or WebP files.")
    List<Path> images;

    @Mixin ModelChoice model;

    @Option(names = "--json", description = "Print a line of JSON for each picture.")
    boolean json;

    @Option(
            names = "--annotate",
            paramLabel = "DIR",
            description = "Write each picture with its boxes there, as JPEG.")
    Path annotate;

    /** What {@code --json} prints. */
    record Result(
            String file,
            int width,
            int height,
            String model,
            List<DetectionEvent.DetectedObject> objects) {}

    @Override
    public Integer call() throws Exception {
        model.requireHere();
        for (Path image : images) {
            if (!Files.isRegularFile(image)) {
                throw new UserException(image + ": no such file");
            }
        }
        if (annotate != null) {
            requireNamesOfTheirOwn();
            Files.createDirectories(annotate);
        }
        ObjectMapper mapper = new ObjectMapper();
        try (InferenceBackend backend = model.backendFactory().open(1).get(0);
                BatchBuffer buffer = backend.newBuffer();
                OpenCvFrameDecoder decoder = new OpenCvFrameDecoder(FrameLimits.OWN_PICTURES);
                Letterbox letterbox = new Letterbox(backend.spec(), model.interpolation())) {
            ModelSpec spec = backend.spec();
            DetectionReader reader = new DetectionReader(spec, model.nms(spec));
            for (Path image : images) {
                byte[] encoded = Files.readAllBytes(image);
                DecodedFrame picture = decode(decoder, image, encoded);
                LetterboxGeometry geometry = letterbox.write(picture, buffer.slot(0));
                backend.submit(buffer, 1);
                List<DetectionEvent.DetectedObject> objects =
                        reader.read(backend.await(buffer), 0).toObjects(geometry, spec.labels());
                if (json) {
                    System.out.println(
                            mapper.writeValueAsString(
                                    new Result(
                                            image.toString(),
                                            picture.width(),
                                            picture.height(),
                                            spec.name(),
                                            objects)));
                } else {
                    print(image, picture, objects);
                }
                if (annotate != null) {
                    Files.write(annotated(image), Annotator.draw(picture, objects));
                }
            }
        }
        return 0;
    }

    private static DecodedFrame decode(OpenCvFrameDecoder decoder, Path image, byte[] encoded)
            throws IOException {
        try {
            return decoder.decode(encoded);
        } catch (FrameRejectedException e) {
            throw new UserException(image + ": " + e.getMessage(), e);
        }
    }

    private static void print(
            Path image, DecodedFrame picture, List<DetectionEvent.DetectedObject> objects) {
        System.out.printf(
                Locale.ROOT,
                "%s  %dx%d  %d objects%n",
                image,
                picture.width(),
                picture.height(),
                objects.size());
        for (DetectionEvent.DetectedObject object : objects) {
            DetectionEvent.BoundingBox box = object.bbox();
            System.out.printf(
                    Locale.ROOT,
                    "  %-16s %.3f  x %.1f  y %.1f  width %.1f  height %.1f%n",
                    object.label(),
                    object.confidence(),
                    box.x(),
                    box.y(),
                    box.width(),
                    box.height());
        }
    }

    /** Before anything runs: one would overwrite the other. */
    private void requireNamesOfTheirOwn() {
        Map<Path, Path> images = new HashMap<>();
        for (Path image : this.images) {
            Path other = images.put(annotated(image), image);
            if (other != null) {
                throw new UserException(
                        "%s and %s would both be drawn to %s: give them to two calls, or other names"
                                .formatted(other, image, annotated(image)));
            }
        }
    }

    private Path annotated(Path image) {
        String name = image.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return annotate.resolve((dot > 0 ? name.substring(0, dot) : name) + ".jpg");
    }
}
