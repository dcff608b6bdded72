// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

/**
 * What the file beside an engine says of it.
 *
 * @param model short name of the model
 * @param key what it was built for
 * @param engineSha256 of the engine itself
 * @param builtOn the GPU, such as Tesla T4
 * @param buildSeconds how long the build took
 * @param int8 null but for int8 engines
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
record EngineRecord(
        String model,
        EngineKey key,
        String engineSha256,
        String builtOn,
        double buildSeconds,
        Int8Report int8) {}
