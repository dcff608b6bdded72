// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.quantize.QuantizeSettings;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** What to observe, and how ranges are chosen from that. */
class RangeFlags extends CalibrationFlags {

    @Option(
            names = "--method",
            paramLabel = "METHOD",
            converter = MethodConverter.class,
            description = "How ranges are chosen: max, percentile, mse or entropy. Default: mse.")
    RangeMethod.Kind method;

    @Option(
            names = "--percentile",
            paramLabel = "P",
            description = "Share of values to keep, for --method percentile. Default: 99.99.")
    Double percentile;

    @Override
    void apply(QuantizeSettings.Builder builder) {
        super.apply(builder);
        given(method).ifPresent(builder::method);
        given(percentile).ifPresent(builder::percentile);
    }

    static <E extends Enum<E>> E constant(E[] known, String text) {
        return Arrays.stream(known)
                .filter(constant -> label(constant).equals(text.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(
                        () ->
                                new TypeConversionException(
                                        "'%s' is none of %s"
                                                .formatted(
                                                        text,
                                                        Arrays.stream(known)
                                                                .map(RangeFlags::label)
                                                                .collect(
                                                                        Collectors.joining(
                                                                                ", ")))));
    }

    private static String label(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    static final class MethodConverter implements ITypeConverter<RangeMethod.Kind> {
        @Override
        public RangeMethod.Kind convert(String text) {
            return constant(RangeMethod.Kind.values(), text);
        }
    }
}
