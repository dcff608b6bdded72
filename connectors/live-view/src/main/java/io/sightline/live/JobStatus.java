// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import java.util.Map;

/**
 * What the job counted of a camera's frames since its status before, and how it finds the camera.
 *
 * @param checkpoint null where none holds what is counted
 * @param framesIn frames that were analysed, became dead letters, or were dropped
 * @param events of them, those analysed
 * @param dropped of them, those given up under overload, by reason; reasons of which there were any
 * @param lagMillis from the capture of the last frame to its arrival in the job; null before the
 *     first
 * @param silentSinceMillis when the last frame arrived, where that is too long ago; else null
 */
record JobStatus(
        String camera,
        Long checkpoint,
        long framesIn,
        long events,
        Map<String, Long> dropped,
        Long lagMillis,
        Long silentSinceMillis) {}
