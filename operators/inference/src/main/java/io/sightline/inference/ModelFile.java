// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import io.sightline.inference.GraphTensor.ElementType;
import io.sightline.inference.ModelSpec.InputFormat;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A detector on disk: {@code <name>.onnx} and, beside it, {@code <name>.json}, which says what the
 * graph does not. An engine reads the graph's inputs and outputs and asks here for the {@link
 * ModelSpec} they make together.
 *
 * <p>Fields of the JSON, each optional, unknown ones ignored:
 *
 * <table>
 * <caption>ModelSpec file</caption>
 * <tr><th>field</th><th>type</th><th>meaning</th><th>where silent</th></tr>
 * <tr><td>{@code name}</td><td>string</td><td>short name in events</td><td>file name</td></tr>
 * <tr><td>{@code input_width}, {@code input_height}</td><td>integer</td><td>pixels; must agree with
 * the graph where that is static</td><td>from the graph</td></tr>
 * <tr><td>{@code border}</td><td>integer</td><td>gray pixels kept free on each side, 3 for the 634
 * + 3 + 3 scheme</td><td>0</td></tr>
 * <tr><td>{@code fill}</td><td>integer</td><td>gray value of the letterbox</td><td>114</td></tr>
 * <tr><td>{@code labels}</td><td>array of strings</td><td>class names in class order</td><td>COCO's
 * for 80 classes or where the shape does not tell how many, else class-0, class-1, …</td></tr>
 * <tr><td>{@code layout}</td><td>string</td><td>{@link OutputLayout#label()}</td><td>inferred where
 * the shapes leave one reading</td></tr>
 * <tr><td>{@code suppress}</td><td>boolean</td><td>whether NMS is still to do</td><td>false for
 * end2end and for pairs of 300 rows, else true</td></tr>
 * <tr><td>{@code confidence}, {@code iou}</td><td>number</td><td>default thresholds,
 * 0..1</td><td>0.4, 0.45</td></tr>
 * <tr><td>{@code precision}</td><td>string</td><td>fp32, fp16 or int8</td><td>from the graph's
 * operators and weights</td></tr>
 * <tr><td>{@code sha256}</td><td>string</td><td>of the ONNX file; must agree with
 * it</td><td>computed</td></tr>
 * <tr><td>{@code target}</td><td>string</td><td>onnxruntime or tensorrt: for which engine the file
 * was quantised; another refuses it</td><td>any</td></tr>
 * <tr><td>{@code weight_bits}</td><td>integer</td><td>of INT8 weights: 7 for CPUs without VNNI, else
 * 8</td><td>8</td></tr>
 * <tr><td>{@code licence}, {@code provenance}</td><td>string</td><td>of the
 * weights</td><td>empty</td></tr>
 * </table>
 *
 * Immutable; one instance serves every lane that opens the file.
 */
public final class ModelFile {

    private static final Logger LOG = LoggerFactory.getLogger(ModelFile.class);

    private static final int DEFAULT_FILL = 114;

    /** As YOLOv6 detects. */
    private static final float DEFAULT_CONFIDENCE = 0.4f;

    /** As YOLOv10 detects: without suppression its scores are lower. */
    private static final float DEFAULT_CONFIDENCE_WITHOUT_NMS = 0.25f;

    private static final float DEFAULT_IOU = 0.45f;

    /** YOLOv10 gives its best 300 rows, one a box: nothing is left to suppress. */
    private static final int ROWS_WITHOUT_NMS = 300;

    private static final String LAYOUT_REMEDY =
            "state it with --layout or as \"layout\" in the JSON beside the model; ";

    private final Path path;
    private final Path jsonPath;
    private final String name;
    private final String sha256;
    private final String precision;
    private final ModelJson json;
    private final AtomicBoolean announced = new AtomicBoolean();

    private ModelFile(
            Path path,
            Path jsonPath,
            String name,
            String sha256,
            String precision,
            ModelJson json) {
        this.path = path;
        this.jsonPath = jsonPath;
        this.name = name;
        this.sha256 = sha256;
        this.precision = precision;
        this.json = json;
    }

    /**
     * Reads the JSON and the ONNX file's checksum; no engine is needed.
     *
     * @throws InferenceException if the ONNX file is absent, unreadable, empty or something else,
     *     if the JSON holds what it cannot hold, or if it was written for another ONNX file
     */
    public static ModelFile read(Path onnx) {
        if (!Files.exists(onnx)) {
            throw new InferenceException("model " + onnx + ": no such file: expected an ONNX file");
        }
        if (Files.isDirectory(onnx)) {
            throw new InferenceException(
                    "model " + onnx + ": is a directory: expected an ONNX file");
        }
        String precision;
        String sha256;
        try {
            if (Files.size(onnx) == 0) {
                throw new InferenceException("model " + onnx + ": is empty: expected an ONNX file");
            }
            precision = OnnxScan.precision(onnx);
            sha256 = sha256(onnx);
        } catch (OnnxScan.MalformedException e) {
            throw new InferenceException(
                    "model "
                            + onnx
                            + ": is not a complete ONNX file ("
                            + e.getMessage()
                            + "): export or download it again",
                    e);
        } catch (IOException e) {
            throw new InferenceException("model " + onnx + ": cannot be read: " + e, e);
        }
        String baseName = baseName(onnx);
        Path jsonPath = jsonPath(onnx);
        ModelJson json = Files.exists(jsonPath) ? ModelJson.read(jsonPath) : ModelJson.SILENT;
        if (json.sha256() != null && !json.sha256().equalsIgnoreCase(sha256)) {
            throw new InferenceException(
                    "model %s: its sha256 is %s, but %s was written for %s: put the two files that belong together side by side"
                            .formatted(onnx, sha256, jsonPath, json.sha256()));
        }
        return new ModelFile(
                onnx,
                jsonPath,
                json.name() == null ? baseName : json.name(),
                sha256,
                json.precision() == null ? precision : json.precision(),
                json);
    }

    /**
     * Writes the JSON beside an ONNX file: what the spec says and the file's own checksum.
     *
     * @param onnx lies there already
     * @param spec its checksum is not looked at; a name that is the file's own is left out
     * @param target for which engine the file was made: onnxruntime or tensorrt; empty for any
     * @param weightBits of the weights of an INT8 file
     * @return the two files, as the next one to use them reads them
     * @throws InferenceException if the ONNX file is none, or the JSON cannot be written
     */
    public static ModelFile write(
            Path onnx, ModelSpec spec, Optional<String> target, OptionalInt weightBits) {
        try {
            new ModelJson(
                            spec.name().equals(baseName(onnx)) ? null : spec.name(),
                            spec.inputWidth(),
                            spec.inputHeight(),
                            spec.border(),
                            spec.fill(),
                            spec.labels(),
                            spec.layout().label(),
                            spec.suppress(),
                            spec.confidence(),
                            spec.iou(),
                            spec.precision(),
                            sha256(onnx),
                            target.orElse(null),
                            weightBits.isPresent() ? weightBits.getAsInt() : null,
                            spec.licence().isEmpty() ? null : spec.licence(),
                            spec.provenance().isEmpty() ? null : spec.provenance())
                    .write(jsonPath(onnx));
        } catch (IOException e) {
            throw new InferenceException("model " + onnx + ": cannot be read: " + e, e);
        }
        return read(onnx);
    }

    private static Path jsonPath(Path onnx) {
        return onnx.resolveSibling(baseName(onnx) + ".json");
    }

    private static String baseName(Path onnx) {
        String fileName = String.valueOf(onnx.getFileName());
        return fileName.endsWith(".onnx")
                ? fileName.substring(0, fileName.length() - ".onnx".length())
                : fileName;
    }

    /** The ONNX file. */
    public Path path() {
        return path;
    }

    /** Short name, by default the file name without its ending. */
    public String name() {
        return name;
    }

    /** Of the ONNX file, 64 lower-case hexadecimal digits. */
    public String sha256() {
        return sha256;
    }

    /** For which engine the file was quantised: onnxruntime or tensorrt; empty where unstated. */
    public Optional<String> target() {
        return Optional.ofNullable(json.target());
    }

    /**
     * The convolutions whose data and weights both come from a DequantizeLinear: their names, or
     * {@code node_of_} and their output where they have none.
     *
     * @throws InferenceException if the ONNX file cannot be read any more
     */
    public List<String> quantisedConvolutions() {
        try {
            return OnnxScan.quantisedConvolutions(path);
        } catch (IOException e) {
            throw new InferenceException("model " + path + ": cannot be read: " + e, e);
        }
    }

    /** {@code fp32}, {@code fp16} or {@code int8}. */
    public String precision() {
        return precision;
    }

    /** The input's size as the JSON states it; empty where it does not. */
    public Optional<InputSize> inputSize() {
        return json.inputWidth() == null || json.inputHeight() == null
                ? Optional.empty()
                : Optional.of(new InputSize(json.inputWidth(), json.inputHeight()));
    }

    /** The letterbox's border, pixels; empty where the JSON does not say. */
    public OptionalInt border() {
        return json.border() == null ? OptionalInt.empty() : OptionalInt.of(json.border());
    }

    /** Of an INT8 file: how many bits its weights use, 7 or 8; empty where unstated. */
    public OptionalInt weightBits() {
        return json.weightBits() == null ? OptionalInt.empty() : OptionalInt.of(json.weightBits());
    }

    /**
     * Puts graph, JSON and options together; options win over the JSON, which wins over what the
     * shapes suggest. Says in the log, once, what it had to assume.
     *
     * @param inputs of the graph, in its order
     * @param outputs of the graph, in its order
     * @param maxBatch frames a run may take where the graph leaves its batch open
     * @throws InferenceException if they contradict each other or leave something open
     */
    public ModelSpec spec(
            List<GraphTensor> inputs,
            List<GraphTensor> outputs,
            ModelOptions options,
            int maxBatch) {
        Input input = input(inputs, options.size());
        StringBuilder assumed = new StringBuilder();
        DetectorShape detector = detector(input, outputs, options, assumed);
        List<String> labels = labels(detector, outputs, assumed);
        boolean suppress = suppress(detector, assumed);
        int border = options.border().orElse(json.border() == null ? 0 : json.border());
        if (border < 0 || 2 * border >= Math.min(input.width, input.height)) {
            throw refused(
                    "border %d leaves nothing of its input of %dx%d: expected 0 to %d pixels"
                            .formatted(
                                    border,
                                    input.width,
                                    input.height,
                                    (Math.min(input.width, input.height) - 1) / 2));
        }
        if (options.border().isEmpty() && json.border() == null) {
            assumed.append(", border 0");
        }
        if (!assumed.isEmpty() && announced.compareAndSet(false, true)) {
            LOG.info(
                    "model {}: {} does not say, so assumed from {}: {}",
                    path,
                    jsonPath.getFileName(),
                    outputs,
                    assumed.substring(2));
        }
        return new ModelSpec(
                name,
                sha256,
                input.width,
                input.height,
                input.format,
                input.batch == GraphTensor.DYNAMIC ? maxBatch : input.batch,
                input.batch == GraphTensor.DYNAMIC,
                border,
                json.fill() == null ? DEFAULT_FILL : json.fill(),
                labels,
                detector.layout(),
                suppress,
                json.confidence() == null
                        ? defaultConfidence(detector.layout(), suppress)
                        : json.confidence(),
                json.iou() == null ? DEFAULT_IOU : json.iou(),
                precision,
                json.licence() == null ? "" : json.licence(),
                json.provenance() == null ? "" : json.provenance());
    }

    private static float defaultConfidence(OutputLayout layout, boolean suppress) {
        return layout == OutputLayout.PAIRS && !suppress
                ? DEFAULT_CONFIDENCE_WITHOUT_NMS
                : DEFAULT_CONFIDENCE;
    }

    private record Input(InputFormat format, int batch, int width, int height) {}

    private Input input(List<GraphTensor> inputs, Optional<InputSize> wanted) {
        String expected =
                ": expected one input, float32 [batch,3,height,width] or uint8"
                        + " [batch,height,width,3]";
        if (inputs.size() != 1) {
            throw refused("has " + inputs.size() + " inputs " + inputs + expected);
        }
        GraphTensor tensor = inputs.get(0);
        boolean floats = tensor.type() == ElementType.FLOAT32;
        if (tensor.rank() != 4
                || (!floats && tensor.type() != ElementType.UINT8)
                || (tensor.shape()[floats ? 1 : 3] != 3
                        && tensor.shape()[floats ? 1 : 3] != GraphTensor.DYNAMIC)) {
            throw refused("input " + tensor + expected);
        }
        int batch = tensor.shape()[0];
        int height =
                side(
                        tensor,
                        tensor.shape()[floats ? 2 : 1],
                        "input_height",
                        json.inputHeight(),
                        wanted.map(InputSize::height));
        int width =
                side(
                        tensor,
                        tensor.shape()[floats ? 3 : 2],
                        "input_width",
                        json.inputWidth(),
                        wanted.map(InputSize::width));
        if (batch == 0 || 3L * width * height > Integer.MAX_VALUE) {
            throw refused("input " + tensor + " is of no usable size" + expected);
        }
        return new Input(
                floats ? InputFormat.FLOAT_NCHW_RGB : InputFormat.BYTES_NHWC_BGR,
                batch,
                width,
                height);
    }

    private int side(
            GraphTensor tensor,
            int ofGraph,
            String field,
            Integer stated,
            Optional<Integer> wanted) {
        if (ofGraph == GraphTensor.DYNAMIC) {
            if (wanted.isEmpty() && stated == null) {
                throw refused(
                        "input "
                                + tensor
                                + " leaves its size open: give it with --input-size, state \"input_width\" and \"input_height\" in "
                                + jsonPath
                                + ", or export the model with a fixed size");
            }
            return wanted.orElse(stated);
        }
        // An engine that was told the size reports it as the graph's own.
        boolean other = wanted.isEmpty() && stated != null && stated != ofGraph;
        if (ofGraph < 1 || other) {
            throw refused("input " + tensor + " does not agree with " + field + " " + stated);
        }
        if (wanted.isPresent() && wanted.get() != ofGraph) {
            throw refused(
                    "input "
                            + tensor
                            + " has a fixed size, which --input-size cannot change: leave the option out, or export the model with an open size");
        }
        return ofGraph;
    }

    private DetectorShape detector(
            Input input, List<GraphTensor> outputs, ModelOptions options, StringBuilder assumed) {
        Optional<OutputLayout> stated =
                options.layout().or(() -> Optional.ofNullable(json.layout()).map(OutputLayout::of));
        try {
            if (stated.isPresent()) {
                return DetectorShape.of(stated.get(), outputs);
            }
            DetectorShape inferred = DetectorShape.infer(input.width, input.height, outputs);
            assumed.append(", layout ").append(inferred.layout().label());
            return inferred;
        } catch (DetectorShape.Misfit e) {
            throw refused(e.getMessage() + ": " + LAYOUT_REMEDY + DetectorShape.KNOWN_LAYOUTS);
        }
    }

    private List<String> labels(
            DetectorShape detector, List<GraphTensor> outputs, StringBuilder assumed) {
        OptionalInt classes = detector.classes();
        if (json.labels() != null) {
            if (classes.isPresent() && classes.getAsInt() != json.labels().size()) {
                throw refused(
                        "%s names %d labels, but outputs %s hold %d classes in layout %s: expected one label a class"
                                .formatted(
                                        jsonPath,
                                        json.labels().size(),
                                        outputs,
                                        classes.getAsInt(),
                                        detector.layout().label()));
            }
            return json.labels();
        }
        if (classes.isEmpty() || classes.getAsInt() == CocoLabels.NAMES.size()) {
            assumed.append(", the 80 labels of COCO");
            return CocoLabels.NAMES;
        }
        assumed.append(", labels class-0 to class-").append(classes.getAsInt() - 1);
        return IntStream.range(0, classes.getAsInt()).mapToObj(i -> "class-" + i).toList();
    }

    private boolean suppress(DetectorShape detector, StringBuilder assumed) {
        if (json.suppress() != null) {
            return json.suppress();
        }
        return switch (detector.layout()) {
            case ANCHORS_OBJ, CHANNELS_FIRST -> true;
            case END2END -> false;
            case PAIRS -> {
                // Suppressing twice costs little; not at all would double every box.
                boolean open = detector.rows().orElse(0) != ROWS_WITHOUT_NMS;
                assumed.append(open ? ", boxes still to suppress" : ", nothing to suppress");
                yield open;
            }
        };
    }

    private InferenceException refused(String why) {
        return new InferenceException("model " + path + ": " + why);
    }

    private static String sha256(Path file) throws IOException {
        try (DigestInputStream in =
                new DigestInputStream(
                        Files.newInputStream(file), MessageDigest.getInstance("SHA-256"))) {
            in.transferTo(OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(in.getMessageDigest().digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
