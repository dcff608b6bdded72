// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Keeps one of several equal constants. */
final class DuplicateConstants implements Pass {

    @Override
    public String name() {
        return "equal constants shared";
    }

    @Override
    public PassReport apply(Graph graph) {
        Matches matches = new Matches();
        Map<Tensor, String> first = new HashMap<>();
        List<String> names = new ArrayList<>(graph.initializers().keySet());
        for (String name : names) {
            String same = first.putIfAbsent(graph.constant(name), name);
            if (same != null && !graph.isOutput(name)) {
                graph.redirect(name, same);
                graph.initializers().remove(name);
                matches.rewrote();
            }
        }
        return matches.report(this);
    }
}
