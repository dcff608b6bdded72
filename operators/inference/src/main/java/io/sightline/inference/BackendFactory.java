// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.io.Serializable;

/**
 * How to open a lane's engine: chosen where the job is submitted, used where it runs. Two factories
 * that are equal open the same network the same way, so that subtasks with equal ones share their
 * lanes.
 */
public interface BackendFactory extends Serializable {

    /** The backend's name as events and options have it: {@code onnxruntime}. */
    String backend();

    /**
     * Opens one lane's engine; called once for each lane, one after the other.
     *
     * @throws InferenceException if the model or its libraries are missing or unfit; one line that
     *     names the remedy
     */
    InferenceBackend open();

    /**
     * Native memory that one lane is expected to take beyond its buffers (weights, arena), in
     * bytes: an estimate.
     */
    long estimatedLaneBytes();
}
