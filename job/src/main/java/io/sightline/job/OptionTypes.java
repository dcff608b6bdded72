// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import io.sightline.inference.InputSize;
import io.sightline.inference.OutputLayout;
import io.sightline.streaming.OverloadPolicy;
import io.sightline.vision.Interpolation;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.util.TimeUtils;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** How option values are written: {@code 10s}, {@code 4mb}, {@code at-least-once}. */
public final class OptionTypes {

    private OptionTypes() {}

    /** Teaches a command and its subcommands, present ones only, these types. */
    public static CommandLine register(CommandLine commandLine) {
        return commandLine
                .registerConverter(Duration.class, OptionTypes::duration)
                .registerConverter(MemorySize.class, OptionTypes::memorySize)
                .registerConverter(InputSize.class, OptionTypes::inputSize)
                .registerConverter(OutputLayout.class, OptionTypes::layout)
                .registerConverter(Interpolation.class, names(Interpolation.class))
                .registerConverter(ModelChoice.Backend.class, names(ModelChoice.Backend.class))
                .registerConverter(
                        DetectionOptions.Guarantee.class, names(DetectionOptions.Guarantee.class))
                .registerConverter(OverloadPolicy.class, names(OverloadPolicy.class))
                .registerConverter(
                        DetectionOptions.Repartition.class,
                        names(DetectionOptions.Repartition.class));
    }

    private static Duration duration(String text) {
        try {
            Duration duration = TimeUtils.parseDuration(text);
            if (!duration.isNegative()) {
                return duration;
            }
        } catch (IllegalArgumentException e) {
            // Falls through: Flink's message lists every unit there is.
        }
        throw new TypeConversionException(
                "'" + text + "' is not a duration, expected one like 500ms, 10s or 2min");
    }

    private static InputSize inputSize(String text) {
        try {
            return InputSize.of(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }

    private static MemorySize memorySize(String text) {
        try {
            return MemorySize.parse(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(
                    "'" + text + "' is not a size, expected one like 512kb, 4mb or 1gb");
        }
    }

    private static OutputLayout layout(String text) {
        try {
            return OutputLayout.of(text);
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }

    /** Reads an enum: {@code AT_LEAST_ONCE} is written {@code at-least-once}. */
    public static <E extends Enum<E>> ITypeConverter<E> names(Class<E> type) {
        return text -> {
            for (E constant : type.getEnumConstants()) {
                if (name(constant).equals(text.toLowerCase(Locale.ROOT))) {
                    return constant;
                }
            }
            throw new TypeConversionException(
                    "'"
                            + text
                            + "' is none of "
                            + Arrays.stream(type.getEnumConstants())
                                    .map(OptionTypes::name)
                                    .collect(Collectors.joining(", ")));
        };
    }

    private static String name(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
