// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.ArrayList;
import java.util.List;

/**
 * Some seconds of a scene, rendered and encoded beforehand, to be played again and again: giving
 * out its frames costs next to nothing.
 *
 * @param settings the scene
 * @param framesPerSecond the rate at which what it shows moves as in life
 * @param frames the frames, in order
 */
public record SceneLoop(
        SceneSettings settings, double framesPerSecond, List<SimulatedFrame> frames) {

    /**
     * Checks and copies.
     *
     * @throws IllegalArgumentException where there is no frame
     */
    public SceneLoop {
        frames = List.copyOf(frames);
        if (frames.isEmpty()) {
            throw new IllegalArgumentException("scene loop: no frames, expected at least one");
        }
    }

    /**
     * Renders a loop, from the scene's time 0 on.
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
        return new SceneLoop(settings, framesPerSecond, rendered);
    }
}
