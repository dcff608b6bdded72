// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.ArrayList;
import java.util.List;

/**
 * Some seconds of a scene, rendered and encoded beforehand, to be played again and again: giving
 * out its frames costs next to nothing.
 *
 * @param settings the scene
 * @param framesPerSecond the rate at which it was rendered
 * @param frames the frames, in order
 * @param seamless whether the first frame follows the last without a jump
 */
public record SceneLoop(
        SceneSettings settings,
        double framesPerSecond,
        List<SimulatedFrame> frames,
        boolean seamless) {

    public SceneLoop {
        frames = List.copyOf(frames);
    }

    /**
     * Renders a loop.
     *
     * @param frames how many, at least 1
     * @param jpegQuality 1 to 100
     */
    public static SceneLoop render(
            SceneSettings settings, double framesPerSecond, int frames, int jpegQuality) {
        List<SimulatedFrame> rendered = new ArrayList<>(frames);
        try (Scene scene = new Scene(settings)) {
            for (int i = 0; i < frames; i++) {
                scene.render(i / framesPerSecond);
                rendered.add(new SimulatedFrame(scene.jpeg(jpegQuality), scene.truth()));
            }
        }
        return new SceneLoop(settings, framesPerSecond, rendered, false);
    }
}
