// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

/** Something that stands or moves in a scene: objects that count, or a thing that only hides. */
final class Body {

    /** Adds the triangles, in the body's own coordinates, as they are at a place of its path. */
    @FunctionalInterface
    interface Figure {
        void build(Mesh mesh, int sides, Path.Place place);
    }

    final Path path;
    final Figure figure;
    final double halfLength;
    final double halfWidth;
    final double height;

    /** Whether it always looks the same, so that it is drawn once. */
    final boolean fixed;

    /** The classes of its parts; none for a thing. */
    final ObjectClass[] classes;

    int firstId;

    /** Half the distance between its headlamps; 0 where they are off. */
    double lamps;

    Body(
            Path path,
            Figure figure,
            double halfLength,
            double halfWidth,
            double height,
            boolean fixed,
            ObjectClass... classes) {
        this.path = path;
        this.figure = figure;
        this.halfLength = halfLength;
        this.halfWidth = halfWidth;
        this.height = height;
        this.fixed = fixed;
        this.classes = classes;
    }
}
