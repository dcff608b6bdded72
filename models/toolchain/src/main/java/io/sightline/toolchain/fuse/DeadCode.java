// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import io.sightline.toolchain.graph.Graph;

/** Takes out nodes and constants that no output needs. */
final class DeadCode implements Pass {

    @Override
    public String name() {
        return "unused nodes removed";
    }

    @Override
    public PassReport apply(Graph graph) {
        Matches matches = new Matches();
        for (int removed = graph.removeUnused(); removed > 0; removed--) {
            matches.rewrote();
        }
        return matches.report(this);
    }
}
