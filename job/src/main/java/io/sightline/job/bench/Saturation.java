// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/** How many frames per second a running job carries, with all that runs beside it. */
final class Saturation {

    /** What a core may carry at first guess; more is tried where it is too little. */
    private static final double FIRST_GUESS = 20;

    private static final double CLEARLY_TOO_MUCH = 1.25;

    private Saturation() {}

    /** So many cameras that share a rate evenly. */
    static double[] evenly(int cameras, double framesPerSecond) {
        double[] rates = new double[cameras];
        Arrays.fill(rates, framesPerSecond / cameras);
        return rates;
    }

    /**
     * Sends more than the job can analyse, and counts its events. Returns when all that was sent
     * has its answer, with nothing left in the reader.
     *
     * @param warmUp before it counts: code is compiled, engines are loaded
     */
    static double framesPerSecond(
            String bootstrapServers,
            List<byte[]> pictures,
            int cameras,
            JobReader reader,
            Duration warmUp,
            Duration measured)
            throws IOException, InterruptedException {
        double rate = FIRST_GUESS * Runtime.getRuntime().availableProcessors();
        while (true) {
            double carried;
            long sent;
            try (CameraLoad load =
                    new CameraLoad(
                            bootstrapServers,
                            ClusterMeasurement.FRAMES_TOPIC,
                            pictures,
                            evenly(cameras, rate))) {
                reader.read(warmUp);
                int first = reader.events().size();
                long start = System.nanoTime();
                reader.read(measured);
                carried = (reader.events().size() - first) * 1e9 / (System.nanoTime() - start);
                load.close();
                sent = load.sent();
            }
            reader.awaitAccounted(sent);
            reader.forget();
            if (carried <= 0) {
                throw new IOException(
                        "no event within " + measured.toSeconds() + " s: see the job's log");
            }
            if (rate >= CLEARLY_TOO_MUCH * carried) {
                return carried;
            }
            rate *= 2;
        }
    }
}
