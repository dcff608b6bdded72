// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.GraphSession.Value;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.TensorShapes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * How long graphs take on ONNX Runtime, one picture, one thread: run in turn, so that a machine
 * that is busy for a while slows all of them, and judged by their medians.
 */
final class SpeedTrial {

    private static final int WARM_UP = 3;
    private static final int SEED = 1;

    private SpeedTrial() {}

    /**
     * @return median milliseconds of each graph
     */
    static double[] medians(List<Graph> graphs, int rounds) {
        List<GraphSession> sessions = new ArrayList<>();
        try {
            List<Map<String, Value>> inputs = new ArrayList<>();
            for (Graph graph : graphs) {
                sessions.add(GraphSession.open(graph.toBytes(), SessionSettings.serving(1)));
                inputs.add(TensorShapes.randomInputs(graph, 1, new Random(SEED)));
            }
            double[][] millis = new double[graphs.size()][rounds];
            for (int round = -WARM_UP; round < rounds; round++) {
                for (int i = 0; i < sessions.size(); i++) {
                    long start = System.nanoTime();
                    sessions.get(i).runOnly(inputs.get(i));
                    if (round >= 0) {
                        millis[i][round] = (System.nanoTime() - start) / 1e6;
                    }
                }
            }
            double[] medians = new double[graphs.size()];
            for (int i = 0; i < medians.length; i++) {
                Arrays.sort(millis[i]);
                medians[i] = millis[i][rounds / 2];
            }
            return medians;
        } finally {
            sessions.forEach(GraphSession::close);
        }
    }
}
