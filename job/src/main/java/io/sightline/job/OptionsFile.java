// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import java.nio.file.Path;
import java.util.Properties;
import java.util.TreeSet;
import picocli.CommandLine;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Options in a file: a line {@code name=value} each, named as the flags without their dashes. Flags
 * win.
 */
public final class OptionsFile implements IDefaultValueProvider {

    /** Names the file itself. */
    static final String FLAG = "--options";

    private final Properties values;

    private OptionsFile(Properties values) {
        this.values = values;
    }

    /**
     * Lets a command take its defaults from the file that the arguments name, if they name one.
     * Done before they are parsed, since what the file gives is not missing.
     *
     * @throws UserException if the file cannot be read, or has a name that is no option of the
     *     command
     */
    public static void apply(CommandLine command, String... args) {
        Path file = null;
        for (int i = 0; i < args.length; i++) {
            if (args[i].equals(FLAG) && i + 1 < args.length) {
                file = Path.of(args[i + 1]);
            } else if (args[i].startsWith(FLAG + "=")) {
                file = Path.of(args[i].substring(FLAG.length() + 1));
            }
        }
        if (file == null) {
            return;
        }
        Properties values = DetectionOptions.readProperties(FLAG, file);
        CommandSpec spec = command.getCommandSpec();
        for (String name : new TreeSet<>(values.stringPropertyNames())) {
            if (spec.findOption("--" + name) == null || ("--" + name).equals(FLAG)) {
                throw new UserException(FLAG + " " + file + ": '" + name + "' is not an option");
            }
        }
        command.setDefaultValueProvider(new OptionsFile(values));
    }

    @Override
    public String defaultValue(ArgSpec arg) {
        return arg instanceof OptionSpec option
                ? values.getProperty(option.longestName().substring(2))
                : null;
    }
}
