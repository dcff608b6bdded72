// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.List;

/**
 * One place seen by one camera. Equal settings and times give equal pictures and truth, in any
 * order. Owns native buffers; not thread-safe.
 */
public final class Scene implements AutoCloseable {

    private final SceneSettings settings;
    private final byte[] bgr;
    private List<TrueObject> truth = List.of();

    public Scene(SceneSettings settings) {
        this.settings = settings;
        this.bgr = new byte[3 * settings.width() * settings.height()];
    }

    /** Draws the picture of a moment; the picture is valid until the next call. */
    public void render(double seconds) {}

    /** The picture: 8 bits a channel, BGR, row by row without padding. */
    public byte[] bgr() {
        return bgr;
    }

    /** What is to be seen in the picture. */
    public List<TrueObject> truth() {
        return truth;
    }

    /** The picture as a JPEG file; quality 1 to 100. */
    public byte[] jpeg(int quality) {
        return new byte[0];
    }

    public SceneSettings settings() {
        return settings;
    }

    @Override
    public void close() {}
}
