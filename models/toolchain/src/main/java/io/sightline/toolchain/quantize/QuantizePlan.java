// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.toolchain.Target;
import io.sightline.toolchain.calibrate.RangeMethod;
import java.util.Map;
import java.util.Set;

/**
 * What is to be INT8, and how.
 *
 * @param target the engine
 * @param method how ranges are chosen
 * @param layerMethods for what these convolutions take and give, another method
 * @param weightBits of weights, 2 to 8
 * @param activationBits of activations, 2 to 8; below 8 only simulated, no engine has a kernel
 * @param eightBitLayers convolutions that keep 8 bits where the others have fewer
 * @param floatLayers convolutions that stay float
 * @param decodeToo whether everything behind the last convolutions is quantised as well: a trap,
 *     kept to show what it does
 * @param corrections of convolutions, by name
 */
record QuantizePlan(
        Target target,
        RangeMethod method,
        Map<String, RangeMethod> layerMethods,
        int weightBits,
        int activationBits,
        Set<String> eightBitLayers,
        Set<String> floatLayers,
        boolean decodeToo,
        Map<String, ChannelCorrection> corrections) {

    QuantizePlan {
        layerMethods = Map.copyOf(layerMethods);
        eightBitLayers = Set.copyOf(eightBitLayers);
        floatLayers = Set.copyOf(floatLayers);
        corrections = Map.copyOf(corrections);
        if (weightBits < 2 || weightBits > 8 || activationBits < 2 || activationBits > 8) {
            throw new IllegalArgumentException(
                    "weight bits %d, activation bits %d: expected 2 to 8"
                            .formatted(weightBits, activationBits));
        }
    }

    /** Every convolution, 8 bits. */
    static QuantizePlan of(Target target, RangeMethod method) {
        return new QuantizePlan(
                target, method, Map.of(), 8, 8, Set.of(), Set.of(), false, Map.of());
    }

    QuantizePlan withFloatLayers(Set<String> layers) {
        return new QuantizePlan(
                target,
                method,
                layerMethods,
                weightBits,
                activationBits,
                eightBitLayers,
                layers,
                decodeToo,
                corrections);
    }

    QuantizePlan withMethod(RangeMethod other) {
        return new QuantizePlan(
                target,
                other,
                layerMethods,
                weightBits,
                activationBits,
                eightBitLayers,
                floatLayers,
                decodeToo,
                corrections);
    }

    QuantizePlan withLayerMethods(Map<String, RangeMethod> methods) {
        return new QuantizePlan(
                target,
                method,
                methods,
                weightBits,
                activationBits,
                eightBitLayers,
                floatLayers,
                decodeToo,
                corrections);
    }

    QuantizePlan withBits(int weights, int activations, Set<String> eightBit) {
        return new QuantizePlan(
                target,
                method,
                layerMethods,
                weights,
                activations,
                eightBit,
                floatLayers,
                decodeToo,
                corrections);
    }

    QuantizePlan withDecode() {
        return new QuantizePlan(
                target,
                method,
                layerMethods,
                weightBits,
                activationBits,
                eightBitLayers,
                floatLayers,
                true,
                corrections);
    }

    QuantizePlan withCorrections(Map<String, ChannelCorrection> others) {
        return new QuantizePlan(
                target,
                method,
                layerMethods,
                weightBits,
                activationBits,
                eightBitLayers,
                floatLayers,
                decodeToo,
                others);
    }
}
