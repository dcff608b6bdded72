// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import io.sightline.inference.InferenceException;
import java.util.List;
import java.util.Set;
import org.apache.flink.api.common.externalresource.ExternalResourceInfo;

/**
 * The GPUs that Flink's external-resource framework gives to this task manager. Every subtask sees
 * all of them, whatever its slot asked for, so lanes on them are shared as lanes on a CPU are.
 */
final class AssignedGpus {

    /** As {@code external-resources} in Flink's configuration names them. */
    static final String RESOURCE = "gpu";

    private static final String INDEX = "index";

    private AssignedGpus() {}

    /**
     * Their indices in ascending order; none where Flink is not configured to know of GPUs.
     *
     * @throws InferenceException if the discovery script gave something else than an index
     */
    static List<Integer> indices(Set<ExternalResourceInfo> gpus) {
        return gpus.stream().map(AssignedGpus::index).sorted().toList();
    }

    private static int index(ExternalResourceInfo gpu) {
        String text = gpu.getProperty(INDEX).orElse("none");
        try {
            return Integer.parseInt(text.strip());
        } catch (NumberFormatException e) {
            throw new InferenceException(
                    "Flink's external resource 'gpu' has index '"
                            + text
                            + "', expected a number: check external-resource.gpu.param.discovery-script.path",
                    e);
        }
    }
}
