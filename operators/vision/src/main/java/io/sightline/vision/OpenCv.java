// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import org.bytedeco.opencv.global.opencv_core;

/** Settings of the OpenCV library, which are the process's. */
final class OpenCv {

    static {
        // Parallelism comes from subtasks, each on its own thread; OpenCV's pool would only
        // compete.
        opencv_core.setNumThreads(1);
    }

    private OpenCv() {}

    /** Loads the library where that has not happened yet. */
    static void load() {}
}
