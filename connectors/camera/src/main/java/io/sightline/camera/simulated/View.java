// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

/** A pinhole camera above the ground z = 0; x and y are on the ground, in metres. */
final class View {

    final int width;
    final int height;
    final double x;
    final double y;
    final double z;
    final double focal;
    final double centreX;
    final double centreY;
    final double fx;
    final double fy;
    final double fz;
    final double rx;
    final double ry;
    final double ux;
    final double uy;
    final double uz;

    /**
     * @param yaw direction of view on the ground, radians from the x axis
     * @param down tilt below the horizon, radians
     * @param focal in pixels
     */
    View(
            int width,
            int height,
            double x,
            double y,
            double z,
            double yaw,
            double down,
            double focal) {
        this.width = width;
        this.height = height;
        this.x = x;
        this.y = y;
        this.z = z;
        this.focal = focal;
        this.centreX = width / 2.0;
        this.centreY = height / 2.0;
        double cy = StrictMath.cos(yaw);
        double sy = StrictMath.sin(yaw);
        double cd = StrictMath.cos(down);
        double sd = StrictMath.sin(down);
        fx = cy * cd;
        fy = sy * cd;
        fz = -sd;
        rx = sy;
        ry = -cy;
        ux = cy * sd;
        uy = sy * sd;
        uz = cd;
    }

    double depth(double px, double py, double pz) {
        return (px - x) * fx + (py - y) * fy + (pz - z) * fz;
    }

    double screenX(double px, double py, double depth) {
        return centreX + focal * ((px - x) * rx + (py - y) * ry) / depth;
    }

    double screenY(double px, double py, double pz, double depth) {
        return centreY - focal * ((px - x) * ux + (py - y) * uy + (pz - z) * uz) / depth;
    }

    /**
     * The ray through a point of the picture, given from its centre in pixels, x to the right and y
     * down: how far it goes along x, y and z while it goes {@link #focal} along the view.
     */
    double rayX(double sx, double sy) {
        return focal * fx + sx * rx - sy * ux;
    }

    double rayY(double sx, double sy) {
        return focal * fy + sx * ry - sy * uy;
    }

    /** It does not depend on x: the camera is never rolled. */
    double rayZ(double sy) {
        return focal * fz - sy * uz;
    }
}
