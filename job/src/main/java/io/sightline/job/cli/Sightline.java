// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.inference.InferenceException;
import io.sightline.job.OptionTypes;
import io.sightline.job.UserException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;

/**
 * What {@code ./sightline} starts. Every command ends with 0, or with another status and one line
 * that says why.
 */
@Command(
        name = "sightline",
        description =
                "Camera frames in, detection events out: streaming video analytics on Apache Flink.",
        mixinStandardHelpOptions = true,
        versionProvider = Sightline.Version.class,
        subcommands = {
            DemoCommand.class,
            RunCommand.class,
            ReplayCommand.class,
            DetectCommand.class,
            BenchCommand.class,
            CommandLine.HelpCommand.class
        })
public final class Sightline {

    private static final String DEBUG = "SIGHTLINE_DEBUG";

    /** Failures that the user can mend: their message says how, and no stack trace is of use. */
    private static final Set<Class<? extends Exception>> MENDABLE =
            Set.of(
                    UserException.class,
                    InferenceException.class,
                    IOException.class,
                    IllegalArgumentException.class);

    private Sightline() {}

    public static void main(String[] args) {
        System.exit(execute(args));
    }

    static int execute(String... args) {
        CommandLine commandLine = OptionTypes.register(new CommandLine(new Sightline()));
        commandLine
                .setUsageHelpLongOptionsMaxWidth(32)
                .setParameterExceptionHandler(Sightline::misused)
                .setExecutionExceptionHandler((e, command, parsed) -> failed(e, command));
        return commandLine.execute(args);
    }

    private static int misused(CommandLine.ParameterException e, String[] args) {
        CommandLine command = e.getCommandLine();
        String name = command.getCommandSpec().qualifiedName();
        PrintWriter err = command.getErr();
        err.println(name + ": " + e.getMessage().replaceAll("\\s*\\R\\s*", " "));
        err.println("See '" + name + " --help'.");
        return command.getCommandSpec().exitCodeOnInvalidInput();
    }

    private static int failed(Exception e, CommandLine command) {
        Throwable cause = mendable(e);
        String name = command.getCommandSpec().qualifiedName();
        if (cause != null && cause.getMessage() != null) {
            command.getErr().println(name + ": " + cause.getMessage());
        } else {
            Throwable root = e;
            while (root.getCause() != null) {
                root = root.getCause();
            }
            command.getErr().println(name + ": " + root);
        }
        if (System.getenv(DEBUG) != null) {
            e.printStackTrace(command.getErr());
        }
        return command.getCommandSpec().exitCodeOnExecutionException();
    }

    /** The outermost cause with a message for users: Flink and futures wrap it. */
    private static Throwable mendable(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            for (Class<?> type : MENDABLE) {
                if (type.isInstance(cause)) {
                    return cause;
                }
            }
        }
        return null;
    }

    /** From the jar's manifest. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Sightline.class.getPackage().getImplementationVersion();
            return new String[] {
                "sightline " + (version == null ? "(built from source)" : version)
            };
        }
    }
}
