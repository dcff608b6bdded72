// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import io.sightline.toolchain.graph.Graph;

/** One kind of rewriting that leaves what the graph computes as it is. */
interface Pass {

    String name();

    /** Rewrites every match whose preconditions hold; says which others there are. */
    PassReport apply(Graph graph);
}
