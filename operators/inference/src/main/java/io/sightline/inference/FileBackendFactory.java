// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.util.List;

/** Opens engines of one ONNX file. */
public interface FileBackendFactory extends BackendFactory {

    /** Path of the ONNX file where the engines are opened. */
    String model();

    /** The same for another file. */
    FileBackendFactory withModel(String other);

    @Override
    default FileBackendFactory onGpus(List<Integer> devices) {
        return this;
    }
}
