// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import java.util.List;
import java.util.stream.Collectors;

/**
 * A node that TensorRT's ONNX parser does not take.
 *
 * @param operator such as Conv; empty where it is not about a node
 * @param node its name; may be empty
 * @param reason in the parser's words
 */
record ParserProblem(String operator, String node, String reason) {

    private static final int SHOWN = 3;

    /** All of them in one line. */
    static String describe(List<ParserProblem> problems) {
        if (problems.isEmpty()) {
            return "it does not say why";
        }
        String shown =
                problems.stream()
                        .limit(SHOWN)
                        .map(ParserProblem::toString)
                        .collect(Collectors.joining("; "));
        return problems.size() > SHOWN
                ? shown + "; and " + (problems.size() - SHOWN) + " more"
                : shown;
    }

    @Override
    public String toString() {
        String where = (operator + (node.isEmpty() ? "" : " '" + node + "'")).strip();
        String what = reason.replaceAll("\\s+", " ").strip();
        return where.isEmpty() ? what : where + ": " + what;
    }
}
