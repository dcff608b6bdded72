// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import io.sightline.toolchain.fuse.PassReport.Left;
import io.sightline.toolchain.graph.Node;
import java.util.ArrayList;
import java.util.List;

/** What a pass has found so far. */
final class Matches {

    private final List<Left> left = new ArrayList<>();
    private int rewritten;

    void rewrote() {
        rewritten++;
    }

    void left(Node node, String reason) {
        left.add(new Left(node.toString(), reason));
    }

    PassReport report(Pass pass) {
        return new PassReport(pass.name(), rewritten, left);
    }
}
