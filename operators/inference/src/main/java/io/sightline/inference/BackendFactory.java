// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.io.Serializable;
import java.util.List;

/**
 * How to open the lanes' engines: chosen where the job is submitted, used where it runs. Two
 * factories that are equal open the same network the same way, so that subtasks with equal ones
 * share their lanes.
 */
public interface BackendFactory extends Serializable {

    /** The backend's name as events and options have it: {@code onnxruntime}. */
    String backend();

    /**
     * Opens the engines of that many lanes, all of the same network.
     *
     * @return one engine a lane, to be closed by the caller
     * @throws InferenceException if the model or its libraries are missing or unfit; one line that
     *     names the remedy. None is left open then.
     */
    List<InferenceBackend> open(int lanes);

    /** How many lanes where the user leaves it open: one a core for engines on the CPU. */
    default int defaultLanes() {
        return Runtime.getRuntime().availableProcessors();
    }

    /**
     * The same on the GPUs that the task manager was given, where it runs on any.
     *
     * @param devices as the CUDA driver counts; none leaves the choice as it is
     */
    default BackendFactory onGpus(List<Integer> devices) {
        return this;
    }

    /**
     * Native memory that is expected to be taken once in a process, however many lanes it has
     * (libraries, a driver), in bytes: an estimate.
     */
    default long estimatedProcessBytes() {
        return 0;
    }

    /**
     * Native memory that one lane is expected to take beyond its buffers (weights, arena), in
     * bytes: an estimate.
     */
    long estimatedLaneBytes();
}
