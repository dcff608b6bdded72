// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.inference.FrameOutputException;
import io.sightline.inference.InferenceException;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.OutputReader;
import io.sightline.inference.RawOutput;

/**
 * Turns a detector's output into detections: candidates above the threshold, then suppression where
 * the model leaves that to be done. One strategy for each {@link
 * io.sightline.inference.OutputLayout}. For one thread at a time.
 */
public final class DetectionReader implements OutputReader<Detections> {

    private final OutputParser parser;
    private final Candidates candidates = new Candidates();
    private final Nms nms;

    /**
     * @param spec of the model whose output is read: layout, labels, and whether to suppress
     */
    public DetectionReader(ModelSpec spec, NmsSettings settings) {
        int classes = spec.labels().size();
        parser =
                switch (spec.layout()) {
                    case ANCHORS_OBJ -> new AnchorsObjParser(classes, settings);
                    case CHANNELS_FIRST -> new ChannelsFirstParser(classes, settings);
                    case PAIRS -> new PairsParser(classes, settings, spec.suppress());
                    case END2END -> new End2EndParser(classes, settings.confidence());
                };
        nms = new Nms(settings, spec.suppress(), classes);
    }

    /**
     * @throws InferenceException if the output does not have the layout's shape
     * @throws FrameOutputException if a score, a box or a class that counts is not a number: that
     *     must not look like an empty scene
     */
    @Override
    public Detections read(RawOutput output, int row) {
        candidates.clear();
        parser.parse(output, row, candidates);
        return nms.select(candidates);
    }
}
