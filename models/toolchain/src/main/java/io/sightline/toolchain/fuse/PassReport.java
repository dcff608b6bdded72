// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import java.util.List;

/**
 * What a pass did to a graph.
 *
 * @param matches how many places it rewrote
 * @param left what looked like a match and stayed as it was
 */
public record PassReport(String pass, int matches, List<Left> left) {

    /**
     * @param node as messages show it
     * @param reason the precondition that does not hold
     */
    public record Left(String node, String reason) {}

    public PassReport {
        left = List.copyOf(left);
    }
}
