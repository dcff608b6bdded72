// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class RasterTest {

    /** Looks along x from the height of one metre. */
    private final View view = new View(200, 100, 0, 0, 1, 0, 0, 100);

    private final Lighting light = new Lighting(0, 1, Rgb.grey(0), Rgb.grey(1));
    private final Raster raster = new Raster(view, light);
    private final Layer layer = new Layer();

    private boolean draw(Mesh mesh, double x, double y) {
        return raster.draw(mesh, x, y, 0, 0, Rgb.grey(0), 0, layer);
    }

    private static Mesh ball(Surface surface) {
        Mesh mesh = new Mesh();
        mesh.with(surface);
        Solids.ellipsoid(mesh, 32, 0, 0, 1, 1, 1, 1);
        return mesh;
    }

    private double covered() {
        double sum = 0;
        for (int i = 0; i < layer.width * layer.height; i++) {
            sum += layer.a[i];
        }
        return sum;
    }

    @Test
    void shouldDrawABallWhereAndAsLargeAsACameraSeesIt() {
        assertThat(draw(ball(Surface.plain(Rgb.grey(0.5), 0)), 10, 0)).isTrue();
        // The angle under which a ball of radius 1 appears from 10 m: tan(asin(1/10)).
        double radius = 100 * Math.tan(Math.asin(0.1));
        assertThat(raster.extent(0, 0)).isCloseTo(100 - radius, within(0.2));
        assertThat(raster.extent(0, 1)).isCloseTo(50 - radius, within(0.2));
        assertThat(raster.extent(0, 2)).isCloseTo(100 + radius, within(0.2));
        assertThat(raster.extent(0, 3)).isCloseTo(50 + radius, within(0.2));
        assertThat(covered()).isCloseTo(Math.PI * radius * radius, within(6.0));
    }

    @Test
    void shouldShowLeftWhatIsLeft() {
        assertThat(draw(ball(Surface.plain(Rgb.grey(0.5), 0)), 10, 5)).isTrue();
        assertThat((raster.extent(0, 0) + raster.extent(0, 2)) / 2).isCloseTo(50, within(1.0));
    }

    @Test
    void shouldSeeThroughHoles() {
        Surface halfOfIt =
                (x, y, z, sample) -> {
                    sample.set(Rgb.grey(0.5), 1, 0);
                    return y > 0;
                };
        draw(ball(halfOfIt), 10, 0);
        double half = covered();
        draw(ball(Surface.plain(Rgb.grey(0.5), 0)), 10, 0);
        assertThat(half).isCloseTo(covered() / 2, within(8.0));
    }

    @Test
    void shouldCutWhatReachesBehindTheCamera() {
        Mesh mesh = new Mesh();
        mesh.with(Surface.plain(Rgb.grey(0.5), 0));
        // A wall on the left, from far behind to far ahead.
        Solids.box(mesh, -50, 2, -50, 50, 3, 50);
        assertThat(draw(mesh, 0, 0)).isTrue();
        // From the picture's left edge, at 45 degrees, to near its middle.
        int row = 50 - layer.top;
        assertThat(layer.a[row * layer.width - layer.left + 2]).isEqualTo(1);
        assertThat(layer.a[row * layer.width - layer.left + 80]).isEqualTo(1);
        assertThat(layer.left + layer.width).isGreaterThan(80);
        for (int x = 100; x < layer.left + layer.width; x++) {
            assertThat(layer.a[row * layer.width - layer.left + x]).isZero();
        }
    }

    @Test
    void shouldLeaveOutWhatIsBehindTheCamera() {
        assertThat(draw(ball(Surface.plain(Rgb.grey(0.5), 0)), -10, 0)).isFalse();
        assertThat(draw(ball(Surface.plain(Rgb.grey(0.5), 0)), 10, 60)).isFalse();
    }

    @Test
    void shouldSmearALayerAroundItsPlaceAndKeepItsLight() {
        draw(ball(Surface.plain(Rgb.grey(0.5), 0)), 10, 0);
        double light = covered();
        Layer sharp = layer;
        Layer smeared = new Layer();
        smeared.smear(sharp, 8, 0, 9);
        assertThat(smeared.width).isEqualTo(sharp.width + 8);
        double sum = 0;
        for (int i = 0; i < smeared.width * smeared.height; i++) {
            sum += smeared.a[i];
            assertThat(smeared.a[i]).isLessThanOrEqualTo(1.0001f);
        }
        assertThat(sum).isCloseTo(light, within(0.5));
        smeared.smear(sharp, 0, 0, 1);
        assertThat(smeared.width).isEqualTo(sharp.width);
        assertThat(smeared.a[smeared.width * 10 + 12]).isEqualTo(sharp.a[sharp.width * 10 + 12]);
    }
}
