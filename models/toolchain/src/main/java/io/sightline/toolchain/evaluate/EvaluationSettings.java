// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import io.sightline.vision.Interpolation;
import io.sightline.vision.NmsSettings;

/**
 * How a detector is evaluated; size, border and fill of the letterbox are the model's.
 *
 * @param interpolation of the letterbox
 * @param nms what becomes of raw predictions; models whose boxes are suppressed already only keep
 *     its threshold and count
 * @param maxDetections the best of an image that count
 */
public record EvaluationSettings(Interpolation interpolation, NmsSettings nms, int maxDetections) {

    /**
     * As mean average precision is usually measured: every class of a box above 0.001, suppression
     * within each class at overlap 0.65, 300 kept, the best 100 counted.
     */
    public static EvaluationSettings standard(Interpolation interpolation) {
        return new EvaluationSettings(
                interpolation, new NmsSettings(0.001f, 0.65f, 30_000, 300, true), 100);
    }
}
