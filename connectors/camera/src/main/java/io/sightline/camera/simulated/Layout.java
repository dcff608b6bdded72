// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Draws from the seed where the camera hangs, what the place is like, and all that is in it. */
final class Layout {

    /** Farther away nothing that moves is drawn. */
    private static final double MAX_DISTANCE = 85;

    /** Farther away a person is hardly more than a stroke. */
    private static final double MAX_PERSON_DISTANCE = 42;

    final View view;
    final Lighting lighting;
    final Backdrop backdrop;
    final List<Body> bodies = new ArrayList<>();

    private final SceneSettings settings;
    private final SplittableRandom random;
    private final boolean lit;
    private int nextId = 1;

    /** Nothing stands farther along the place, where a hall ends. */
    private double limit = MAX_DISTANCE;

    /** The stretch along x where people cross the road and vehicles wait for them; or null. */
    private double[] crossing;

    Layout(SceneSettings settings) {
        this.settings = settings;
        this.random = new SplittableRandom(settings.seed() + 0x5851F42D4C957F2DL);
        this.lit = settings.light() != Light.DAY || (settings.rain() && random.nextBoolean());
        boolean hall = settings.place() == Place.HALL;
        this.lighting = lighting(hall);
        if (hall) {
            double side = 5 + 9 * random.nextDouble();
            view =
                    camera(
                            0,
                            -side + 0.3 + random.nextDouble(),
                            2.5 + 3 * random.nextDouble(),
                            0.25,
                            0.9,
                            side);
            double end = 14 + 30 * random.nextDouble();
            limit = end - 2;
            backdrop =
                    new Backdrop(
                            view,
                            lighting,
                            settings,
                            random,
                            0,
                            0,
                            0,
                            0,
                            -side - 1,
                            side + 4 * random.nextDouble(),
                            end,
                            0,
                            Double.NaN);
            hall(side, end);
        } else {
            int lanes = random.nextDouble() < 0.07 ? 0 : 1 + random.nextInt(4);
            double lane = 3.0 + 0.5 * random.nextDouble();
            double half = lanes * lane / 2;
            double walkNear = 2 + 4 * random.nextDouble();
            double walkFar = 2 + 4 * random.nextDouble();
            double greenNear = random.nextDouble() < 0.35 ? 1 + 5 * random.nextDouble() : 0;
            double greenFar = random.nextDouble() < 0.35 ? 1 + 6 * random.nextDouble() : 0;
            if (lanes == 0) {
                walkFar += 6 + 16 * random.nextDouble();
            }
            double edgeNear = -half - walkNear;
            double edgeFar = half + walkFar;
            boolean inRoad = random.nextDouble() < 0.25;
            double cameraY =
                    inRoad
                            ? -half + 2 * half * random.nextDouble()
                            : edgeNear
                                    + 0.3
                                    + random.nextDouble()
                                    - greenNear * random.nextDouble();
            view =
                    camera(
                            0,
                            cameraY,
                            inRoad ? 5.5 + 3.5 * random.nextDouble() : cameraHeight(),
                            inRoad ? 0.05 : 0.22,
                            1.45,
                            edgeFar);
            double zebra =
                    lanes > 0 && random.nextDouble() < 0.4
                            ? Math.signum(view.fx) * (5 + 14 * random.nextDouble())
                            : Double.NaN;
            if (lit && settings.light() != Light.DAY) {
                lamps(half + 1);
            }
            backdrop =
                    new Backdrop(
                            view,
                            lighting,
                            settings,
                            random,
                            -half,
                            half,
                            edgeNear,
                            edgeFar,
                            edgeNear - greenNear - 0.6,
                            edgeFar + greenFar,
                            0,
                            lanes,
                            zebra);
            street(lanes, lane, half, edgeNear, edgeFar, greenFar, zebra);
        }
    }

    private Lighting lighting(boolean hall) {
        double direction = 6.28 * random.nextDouble();
        double height = 0.35 + 0.75 * random.nextDouble();
        double tone = 0.92 + 0.16 * random.nextDouble();
        if (hall) {
            double bright =
                    switch (settings.light()) {
                        case DAY -> 0.75 + 0.35 * random.nextDouble();
                        case DUSK -> 0.5 + 0.2 * random.nextDouble();
                        case NIGHT -> 0.22 + 0.15 * random.nextDouble();
                    };
            return new Lighting(
                    direction,
                    1.2,
                    Rgb.grey(0.18 * bright),
                    new Rgb((float) (bright * tone), (float) bright, (float) (bright / tone)));
        }
        return switch (settings.light()) {
            case DAY -> {
                boolean overcast = settings.rain() || random.nextDouble() < 0.4;
                if (overcast) {
                    double s = 0.75 + 0.3 * random.nextDouble();
                    yield new Lighting(
                            direction,
                            1.1,
                            Rgb.grey(0.08),
                            new Rgb((float) (0.96 * s), (float) s, (float) (1.05 * s)));
                }
                double s = 0.6 + 0.45 * random.nextDouble();
                yield new Lighting(
                        direction,
                        height,
                        new Rgb((float) (1.04 * s), (float) (0.98 * s), (float) (0.86 * s)),
                        new Rgb(0.42f, 0.47f, 0.55f).times(0.8 + 0.4 * random.nextDouble()));
            }
            case DUSK -> {
                double s = 0.22 + 0.2 * random.nextDouble();
                yield new Lighting(
                        direction,
                        0.5,
                        new Rgb(0.10f, 0.06f, 0.03f),
                        new Rgb((float) (0.95 * s), (float) (0.92 * s), (float) (1.15 * s)));
            }
            case NIGHT -> {
                double s = 0.012 + 0.05 * random.nextDouble();
                yield new Lighting(
                        direction,
                        1,
                        Rgb.grey(0),
                        new Rgb((float) (0.9 * s), (float) (0.95 * s), (float) (1.2 * s)));
            }
        };
    }

    private void lamps(double y) {
        boolean warm = random.nextDouble() < 0.6;
        double bright = settings.light() == Light.NIGHT ? 0.35 + 0.45 * random.nextDouble() : 0.15;
        Rgb light =
                (warm ? new Rgb(1.0f, 0.68f, 0.34f) : new Rgb(0.85f, 0.95f, 1.05f)).times(bright);
        double spacing = 16 + 20 * random.nextDouble();
        double radius = 4 + 3 * random.nextDouble();
        for (double x = -84 + spacing * random.nextDouble(); x < 90; x += spacing) {
            lighting.lamps.add(new Lighting.Lamp(x, y, radius, light));
            lighting.lamps.add(new Lighting.Lamp(x + spacing / 2, -y, radius, light));
        }
    }

    /** Mostly on a wall or a mast; sometimes at the height of eyes. */
    private double cameraHeight() {
        return random.nextDouble() < 0.2
                ? 1.5 + 1.3 * random.nextDouble()
                : 2.6 + 6.4 * random.nextDouble();
    }

    /** Hung at a height, looking between two angles off the direction along the place. */
    private View camera(double x, double y, double z, double least, double most, double farEdge) {
        double yaw = least + (most - least) * random.nextDouble();
        if (random.nextBoolean()) {
            yaw = StrictMath.PI - yaw;
        }
        double wide = StrictMath.toRadians(48 + 44 * random.nextDouble());
        double focal = settings.width() / 2.0 / StrictMath.tan(wide / 2);
        double upper = StrictMath.atan(settings.height() / 2.0 / focal);
        // The horizon lies between a little above the picture and a third below its upper edge.
        double down = upper * (0.2 + 0.8 * random.nextDouble()) + 0.025 * (z - 2);
        // What is in the middle of the picture is ground, not the wall behind it.
        double reach = 0.85 * (farEdge - y) / StrictMath.sin(yaw);
        down = Math.max(down, StrictMath.atan(z / reach));
        return new View(settings.width(), settings.height(), x, y, z, yaw, down, focal);
    }

    // ---- what is where

    private boolean seen(double x, double y, double z, double margin) {
        double d = view.depth(x, y, z);
        if (d < 0.5 || d > MAX_DISTANCE || Math.abs(x) > limit) {
            return false;
        }
        double sx = view.screenX(x, y, d);
        double sy = view.screenY(x, y, z, d);
        return sx > -margin
                && sx < view.width + margin
                && sy > -margin
                && sy < view.height + margin;
    }

    /** The stretch along x, at some y, that the camera sees; null where it is too short. */
    private double[] stretch(double y, double distance) {
        double from = Double.NaN;
        double to = Double.NaN;
        for (double x = -MAX_DISTANCE; x <= MAX_DISTANCE; x += 0.5) {
            boolean near = view.depth(x, y, 1) < distance;
            if (near && (seen(x, y, 0.2, 0) || seen(x, y, 1.5, 0))) {
                if (Double.isNaN(from)) {
                    from = x;
                }
                to = x;
            }
        }
        return to - from > 1 ? new double[] {from, to} : null;
    }

    /** A point of the ground that is seen, as likely in any part of the picture. */
    private double[] groundPoint(double yFrom, double yTo) {
        for (int i = 0; i < 60; i++) {
            double sx = view.width * random.nextDouble() - view.centreX;
            double sy = view.height * (0.02 + 0.96 * random.nextDouble()) - view.centreY;
            double dx = view.rayX(sx, sy);
            double dy = view.rayY(sx, sy);
            double dz = view.rayZ(sy);
            if (dz >= 0) {
                continue;
            }
            double s = -view.z / dz;
            double x = view.x + s * dx;
            double y = view.y + s * dy;
            if (y > yFrom
                    && y < yTo
                    && view.depth(x, y, 0) < MAX_PERSON_DISTANCE
                    && Math.abs(x) < limit) {
                return new double[] {x, y};
            }
        }
        return null;
    }

    private void add(Body body) {
        body.firstId = nextId;
        nextId += 2;
        bodies.add(body);
    }

    // ---- people

    private Body.Figure walking(Person person, double speed) {
        double first = 6.28 * random.nextDouble();
        double pace = Math.abs(speed);
        return (mesh, sides, place) ->
                person.build(
                        mesh,
                        sides,
                        Person.Pose.WALK,
                        first + 2 * StrictMath.PI * place.travelled() / person.stride(),
                        pace);
    }

    private Person person() {
        return new Person(random, settings.rain() && random.nextDouble() < 0.6, false);
    }

    private double walkingSpeed() {
        double speed = 0.8 + 0.8 * random.nextDouble();
        return random.nextDouble() < 0.05 ? 2.6 + random.nextDouble() : speed;
    }

    private void addWalker(Path path, Person person, double speed) {
        add(
                new Body(
                        path,
                        walking(person, speed),
                        0.3,
                        0.3,
                        person.height,
                        false,
                        ObjectClass.PERSON));
    }

    private void walkAlong(double y, boolean alone) {
        double[] seen = stretch(y, MAX_PERSON_DISTANCE);
        if (seen == null) {
            return;
        }
        double speed = walkingSpeed();
        boolean ahead = random.nextBoolean();
        double length = seen[1] - seen[0] + 3;
        double start = length * random.nextDouble();
        int n = alone || random.nextDouble() < 0.7 ? 1 : 2 + random.nextInt(2);
        for (int i = 0; i < n; i++) {
            double aside = y + 0.6 * i;
            double x = ahead ? seen[0] - 1.5 : seen[1] + 1.5;
            addWalker(
                    Path.line(
                            x,
                            aside,
                            ahead ? 0 : StrictMath.PI,
                            length,
                            start + 0.3 * random.nextDouble(),
                            speed,
                            0.12),
                    person(),
                    speed);
        }
    }

    private void stander(double x, double y, double heading) {
        Person person = person();
        add(
                new Body(
                        Path.still(x, y, heading, 0.25 * random.nextDouble()),
                        (mesh, sides, place) ->
                                person.build(mesh, sides, Person.Pose.STAND, place.travelled(), 0),
                        0.3,
                        0.3,
                        person.height,
                        false,
                        ObjectClass.PERSON));
    }

    private void group(double x, double y) {
        int n = 2 + random.nextInt(4);
        double turned = 6.28 * random.nextDouble();
        double radius = 0.35 + 0.12 * n;
        for (int i = 0; i < n; i++) {
            double a = turned + 6.283 * i / n + 0.3 * random.nextDouble();
            stander(
                    x + radius * StrictMath.cos(a),
                    y + radius * StrictMath.sin(a),
                    a + StrictMath.PI + 0.5 * random.nextDouble());
        }
    }

    private void wanderer(double x, double y) {
        double speed = 0.7 + 0.7 * random.nextDouble();
        double a = 1.2 + 4 * random.nextDouble();
        double b = 1.2 + 4 * random.nextDouble();
        double start = 20 * random.nextDouble();
        addWalker(
                Path.ellipse(
                        x,
                        y,
                        a,
                        b,
                        6.28 * random.nextDouble(),
                        start,
                        random.nextBoolean() ? speed : -speed),
                person(),
                speed);
    }

    /** People as likely near as far, on the ground between two lines along x. */
    private void people(int count, double yFrom, double yTo) {
        for (int i = 0; i < count; i++) {
            double[] p = groundPoint(yFrom, yTo);
            if (p == null) {
                return;
            }
            double kind = random.nextDouble();
            if (kind < 0.55) {
                walkAlong(p[1], false);
            } else if (kind < 0.72) {
                stander(p[0], p[1], 6.28 * random.nextDouble());
            } else if (kind < 0.8) {
                group(p[0], p[1]);
            } else if (yTo - yFrom > 6) {
                wanderer(p[0], p[1]);
            } else {
                walkAlong(p[1], true);
            }
        }
    }

    // ---- what has wheels

    private void rider(double y, boolean ahead) {
        double[] seen = stretch(y, 1.3 * MAX_PERSON_DISTANCE);
        if (seen == null) {
            return;
        }
        double speed = 2.5 + 3.5 * random.nextDouble();
        double length = seen[1] - seen[0] + 6;
        Path path =
                Path.line(
                        ahead ? seen[0] - 3 : seen[1] + 3,
                        y,
                        ahead ? 0 : StrictMath.PI,
                        length,
                        length * random.nextDouble(),
                        speed,
                        0.1);
        addRider(path, false);
    }

    private void addRider(Path path, boolean motor) {
        Cycle cycle = new Cycle(random, motor, lit);
        Person person = new Person(random, false, motor || random.nextDouble() < 0.4);
        double first = 6.28 * random.nextDouble();
        Person.Pose pose = motor ? Person.Pose.MOTORCYCLE : Person.Pose.CYCLE;
        Body body =
                new Body(
                        path,
                        (mesh, sides, place) -> {
                            mesh.part(1);
                            cycle.build(mesh, sides);
                            mesh.part(0);
                            person.build(mesh, sides, pose, first - place.travelled() / 0.75, 0);
                        },
                        cycle.length() / 2,
                        0.35,
                        1.75,
                        false,
                        ObjectClass.PERSON,
                        motor ? ObjectClass.MOTORCYCLE : ObjectClass.BICYCLE);
        body.lamps = motor && lit ? 0.02 : 0;
        add(body);
    }

    private void pushedBicycle(Path path, double speed) {
        Cycle cycle = new Cycle(random, false, false);
        Person person = new Person(random, false, false);
        Body.Figure walk = walking(person, speed);
        add(
                new Body(
                        path,
                        (mesh, sides, place) -> {
                            mesh.part(1);
                            int v0 = mesh.vertices;
                            cycle.build(mesh, sides);
                            mesh.place(v0, 0, 0.1, 0.5, 0);
                            mesh.part(0);
                            walk.build(mesh, sides, place);
                        },
                        0.9,
                        0.6,
                        1.75,
                        false,
                        ObjectClass.PERSON,
                        ObjectClass.BICYCLE));
    }

    private void parkedCycle(double x, double y, double heading, boolean motor) {
        Cycle cycle = new Cycle(random, motor, false);
        add(
                new Body(
                        Path.still(x, y, heading, 0),
                        (mesh, sides, place) -> cycle.build(mesh, sides),
                        cycle.length() / 2,
                        0.3,
                        1.1,
                        true,
                        motor ? ObjectClass.MOTORCYCLE : ObjectClass.BICYCLE));
    }

    private Vehicle vehicle(ObjectClass objectClass, boolean lights) {
        return new Vehicle(random, objectClass, lights);
    }

    private void addVehicle(Path path, Vehicle vehicle, boolean fixed) {
        Body body =
                new Body(
                        path,
                        (mesh, sides, place) -> vehicle.build(mesh),
                        vehicle.length / 2,
                        vehicle.width / 2,
                        3,
                        fixed,
                        vehicle.objectClass);
        body.lamps = lit && !fixed ? 0.36 * vehicle.width : 0;
        add(body);
    }

    private ObjectClass onRoad() {
        double kind = random.nextDouble();
        return kind < 0.42
                ? ObjectClass.CAR
                : kind < 0.61
                        ? ObjectClass.TRUCK
                        : kind < 0.79 ? ObjectClass.BUS : ObjectClass.MOTORCYCLE;
    }

    private void traffic(double y, boolean ahead) {
        double[] seen = stretch(y, MAX_DISTANCE);
        if (seen == null) {
            return;
        }
        double length = seen[1] - seen[0] + 14;
        boolean stands = random.nextDouble() < 0.2 || crossing != null;
        double speed = stands ? 0 : 4 + 9 * random.nextDouble();
        double sparse = stands ? 2.5 : 2.5 + 12 * random.nextDouble() * random.nextDouble();
        double at = 0;
        double heading = ahead ? 0 : StrictMath.PI;
        double x = ahead ? seen[0] - 7 : seen[1] + 7;
        while (true) {
            ObjectClass kind = onRoad();
            double aside = 0.25 * (random.nextDouble() - 0.5);
            if (kind == ObjectClass.MOTORCYCLE) {
                at = past(x, heading, at, 1.2) + 1.2;
                if (at + 1.2 > length) {
                    return;
                }
                addRider(Path.line(x, y + 2 * aside, heading, length, at, speed, 0.1), true);
                at += 1.2;
            } else {
                Vehicle vehicle = vehicle(kind, lit);
                at = past(x, heading, at, vehicle.length / 2) + vehicle.length / 2;
                if (at + vehicle.length / 2 > length) {
                    return;
                }
                addVehicle(Path.line(x, y + aside, heading, length, at, speed, 0), vehicle, false);
                at += vehicle.length / 2;
            }
            at += sparse * (0.5 + random.nextDouble()) + 0.8;
        }
    }

    /** Where the next body of a row may begin, so that none stands where people cross. */
    private double past(double x, double heading, double at, double half) {
        if (crossing == null) {
            return at;
        }
        boolean ahead = heading == 0;
        double from = ahead ? crossing[0] - x : x - crossing[1];
        double to = ahead ? crossing[1] - x : x - crossing[0];
        return at + 2 * half > from && at < to ? to : at;
    }

    private void parking(double y, boolean ahead) {
        double[] seen = stretch(y, MAX_DISTANCE);
        if (seen == null) {
            return;
        }
        double at = seen[0] - 2 + 5 * random.nextDouble();
        double full = 0.35 + 0.6 * random.nextDouble();
        while (at < seen[1]) {
            double kind = random.nextDouble();
            if (random.nextDouble() > full) {
                at += 5;
                continue;
            }
            if (kind < 0.14) {
                int n = 1 + random.nextInt(3);
                at = past(0, 0, at, n / 2.0);
                for (int i = 0; i < n; i++) {
                    parkedCycle(at + 0.9 * i, y, 1.2 + 0.5 * random.nextDouble(), true);
                }
                at += n + 0.8;
                continue;
            }
            Vehicle vehicle = vehicle(kind < 0.84 ? ObjectClass.CAR : ObjectClass.TRUCK, false);
            at = past(0, 0, at, vehicle.length / 2);
            boolean forward = ahead ^ random.nextDouble() < 0.1;
            addVehicle(
                    Path.still(at + vehicle.length / 2, y, forward ? 0 : StrictMath.PI, 0),
                    vehicle,
                    true);
            at += vehicle.length + 0.7 + random.nextDouble();
        }
    }

    // ---- places

    private void street(
            int lanes,
            double lane,
            double half,
            double edgeNear,
            double edgeFar,
            double greenFar,
            double zebra) {
        boolean parkNear = lanes > 2 && random.nextDouble() < 0.4;
        boolean parkFar = lanes > 1 && random.nextDouble() < 0.5;
        if (!Double.isNaN(zebra) && random.nextDouble() < 0.8) {
            crossing = new double[] {zebra - 2.3, zebra + 2.3};
        }
        for (int i = 0; i < lanes; i++) {
            double y = -half + (i + 0.5) * lane;
            boolean ahead = lanes > 1 ? 2 * i < lanes : random.nextBoolean();
            if (i == 0 && parkNear) {
                parking(-half + 1.1, ahead);
            } else if (i == lanes - 1 && parkFar) {
                parking(half - 1.1, ahead);
            } else {
                traffic(y, ahead);
            }
        }
        double crowd = random.nextDouble();
        int people = (int) (4 + 26 * crowd * crowd * (lanes == 0 ? 1.4 : 1));
        double near = (-half - edgeNear) / (edgeFar - edgeNear - 2 * half);
        people((int) Math.round(people * near), edgeNear + 0.3, -half - 0.3);
        people((int) Math.round(people * (1 - near)), half + 0.3, edgeFar - 0.3);
        if (crossing != null) {
            cross(half);
        }
        int cyclists = random.nextInt(5) + (random.nextDouble() < 0.15 ? 4 : 0);
        for (int i = 0; i < cyclists; i++) {
            boolean ahead = random.nextBoolean();
            // Beside the road, where no vehicle drives through them.
            boolean atKerb = lanes > 0 && random.nextDouble() < 0.6;
            double y =
                    atKerb
                            ? (ahead ? -1 : 1) * (half + 1.3 + 0.4 * random.nextDouble())
                            : random.nextBoolean()
                                    ? edgeNear
                                            + 0.6
                                            + (-half - edgeNear - 1.2) * random.nextDouble()
                                    : half + 0.6 + (edgeFar - half - 1.2) * random.nextDouble();
            rider(y, ahead);
        }
        if (random.nextDouble() < 0.2) {
            double y = half + 0.8;
            double[] seen = stretch(y, MAX_DISTANCE);
            if (seen != null) {
                pushedBicycle(
                        Path.line(
                                seen[0] - 1,
                                y,
                                0,
                                seen[1] - seen[0] + 2,
                                9 * random.nextDouble(),
                                1.1,
                                0.1),
                        1.1);
            }
        }
        for (int side = -1; side <= 1; side += 2) {
            if (random.nextDouble() < 0.45) {
                double from = side < 0 ? edgeNear : half;
                double to = side < 0 ? -half : edgeFar;
                double[] p = groundPoint(from + 0.8, to - 0.8);
                if (p != null) {
                    cycleStand(p[0], p[1]);
                }
            }
        }
        Props props = new Props(random);
        boolean trees = random.nextDouble() < 0.5;
        double spacing = 7 + 9 * random.nextDouble();
        for (double x = -MAX_DISTANCE + spacing * random.nextDouble();
                x < MAX_DISTANCE;
                x += spacing) {
            if (trees) {
                thing(x, half + 0.9, props.tree(), 0.3, 6);
                if (random.nextDouble() < 0.3) {
                    thing(x + 3, -half - 0.8, props.tree(), 0.3, 6);
                }
            }
            if (random.nextDouble() < 0.4) {
                thing(
                        x + 2,
                        half + 0.5,
                        props.pole(5 + 2 * random.nextDouble(), random.nextDouble() < 0.4),
                        0.15,
                        6);
            }
            if (random.nextDouble() < 0.25) {
                thing(x + 4, -half - 0.5, props.pole(2.6, true), 0.15, 3);
            }
            if (random.nextDouble() < 0.4) {
                thing(x + 1, edgeFar - 0.6, props.clutter(), 0.5, 1.2);
            }
            if (random.nextDouble() < 0.25) {
                thing(x + 5, edgeNear + 0.6, props.clutter(), 0.5, 1.2);
            }
            if (greenFar > 1 && random.nextDouble() < 0.5) {
                thing(
                        x,
                        edgeFar + 0.6 + (greenFar - 1) * random.nextDouble(),
                        props.bush(),
                        0.8,
                        1.4);
            }
        }
    }

    private void cycleStand(double x, double y) {
        int n = 1 + random.nextInt(1 + random.nextInt(6));
        double heading = StrictMath.PI * random.nextDouble();
        double gap = 0.55 + 0.8 * random.nextDouble();
        boolean motor = random.nextDouble() < 0.4;
        for (int i = 0; i < n; i++) {
            parkedCycle(
                    x + (motor ? 1.0 : gap) * i, y, heading + 0.15 * random.nextDouble(), motor);
        }
    }

    private void cross(double half) {
        int n = 1 + random.nextInt(5);
        for (int i = 0; i < n; i++) {
            boolean ahead = random.nextBoolean();
            double speed = walkingSpeed();
            double length = 2 * half + 3;
            addWalker(
                    Path.line(
                            crossing[0] + 0.8 + 3 * random.nextDouble(),
                            ahead ? -half - 1.5 : half + 1.5,
                            ahead ? StrictMath.PI / 2 : -StrictMath.PI / 2,
                            length,
                            length * random.nextDouble(),
                            speed,
                            0.05),
                    person(),
                    speed);
        }
    }

    private void thing(double x, double y, Body.Figure figure, double half, double height) {
        if (seen(x, y, 0.2, 60) || seen(x, y, height, 60)) {
            double dx = x - view.x;
            double dy = y - view.y;
            if (dx * dx + dy * dy > 9) {
                bodies.add(new Body(Path.still(x, y, 0, 0), figure, half, half, height, true));
            }
        }
    }

    private void hall(double side, double end) {
        double crowd = random.nextDouble();
        people((int) (4 + 26 * crowd * crowd), -side, side);
        if (random.nextDouble() < 0.2) {
            double y = -side + 2 * side * random.nextDouble();
            double[] seen = stretch(y, MAX_DISTANCE);
            if (seen != null) {
                pushedBicycle(
                        Path.line(
                                seen[0] - 1,
                                y,
                                0,
                                seen[1] - seen[0] + 2,
                                9 * random.nextDouble(),
                                1,
                                0.1),
                        1);
            }
        }
        Props props = new Props(random);
        if (random.nextDouble() < 0.5) {
            double gap = 5 + 4 * random.nextDouble();
            double row = side * (0.2 + 0.5 * random.nextDouble());
            for (double x = -end; x < end; x += gap) {
                thing(x, row, props.pillar(), 0.35, 5);
            }
        }
        int n = random.nextInt(8);
        for (int i = 0; i < n; i++) {
            double[] p = groundPoint(-side, side);
            if (p != null) {
                thing(p[0], p[1], props.clutter(), 0.5, 1.2);
            }
        }
    }
}
