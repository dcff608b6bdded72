// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.inference.InferenceException;
import io.sightline.job.OptionTypes;
import io.sightline.job.OptionsFile;
import io.sightline.job.UserException;
import io.sightline.kafka.KafkaPreflightException;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.quantize.QuantizeSettings.Engine;
import io.sightline.toolchain.synth.BlockForm;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

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
            AuditCommand.class,
            SimulateCommand.class,
            LiveCommand.class,
            DetectCommand.class,
            BenchCommand.class,
            ModelCommand.class,
            CommandLine.HelpCommand.class
        })
public final class Sightline implements Callable<Integer> {

    private static final String DEBUG = "SIGHTLINE_DEBUG";

    /** Failures that the user can mend: their message says how, and no stack trace is of use. */
    private static final Set<Class<? extends Exception>> MENDABLE =
            Set.of(
                    UserException.class,
                    InferenceException.class,
                    KafkaPreflightException.class,
                    ToolchainException.class,
                    IOException.class,
                    IllegalArgumentException.class);

    @Spec private CommandSpec spec;

    private Sightline() {}

    public static void main(String[] args) {
        System.exit(execute(args));
    }

    /** Without a command there is nothing to do but to say which there are. */
    @Override
    public Integer call() {
        spec.commandLine().usage(spec.commandLine().getErr());
        return spec.exitCodeOnInvalidInput();
    }

    static int execute(String... args) {
        CommandLine commandLine = register(new CommandLine(new Sightline()));
        commandLine
                .setUsageHelpLongOptionsMaxWidth(32)
                .setParameterExceptionHandler(Sightline::misused)
                .setExecutionExceptionHandler((e, command, parsed) -> failed(e, command));
        CommandLine run = commandLine.getSubcommands().get(RunCommand.NAME);
        if (args.length > 0 && args[0].equals(RunCommand.NAME)) {
            try {
                OptionsFile.apply(run, args);
            } catch (UserException e) {
                return failed(e, run);
            }
        }
        return commandLine.execute(args);
    }

    /** As {@link OptionTypes#register}, with the types that a cluster does not know. */
    static CommandLine register(CommandLine commandLine) {
        return OptionTypes.register(commandLine)
                .registerConverter(BlockForm.class, OptionTypes.names(BlockForm.class))
                .registerConverter(Engine.class, OptionTypes.names(Engine.class))
                .registerConverter(
                        RangeMethod.Kind.class, OptionTypes.names(RangeMethod.Kind.class));
    }

    private static int misused(CommandLine.ParameterException e, String[] args) {
        CommandLine command = e.getCommandLine();
        String name = command.getCommandSpec().qualifiedName();
        command.getErr().printf("%s: %s (see '%s --help')%n", name, problem(e), name);
        return command.getCommandSpec().exitCodeOnInvalidInput();
    }

    private static String problem(CommandLine.ParameterException e) {
        // What is missing may be there under a name with a slip in it.
        List<String> unknown = e.getCommandLine().getUnmatchedArguments();
        if (e instanceof UnmatchedArgumentException unmatched) {
            List<String> suggestions = unmatched.getSuggestions();
            return unknown(unmatched.getUnmatched())
                    + (suggestions.isEmpty()
                            ? ""
                            : ": did you mean " + String.join(" or ", suggestions) + "?");
        }
        String problem = e.getMessage().replaceAll("\\s*\\R\\s*", " ");
        return unknown.isEmpty() ? problem : problem + "; " + unknown(unknown);
    }

    private static String unknown(List<String> arguments) {
        return "unknown: '" + String.join("', '", arguments) + "'";
    }

    private static int failed(Exception e, CommandLine command) {
        Throwable cause = mendable(e);
        String name = command.getCommandSpec().qualifiedName();
        if (cause instanceof FileSystemException file && file.getReason() == null) {
            command.getErr().println(name + ": " + file.getMessage() + ": " + reason(file));
        } else if (cause != null && cause.getMessage() != null) {
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

    /** What the exception itself leaves to its class. */
    private static String reason(FileSystemException e) {
        if (e instanceof NoSuchFileException) {
            return "no such file or folder";
        }
        if (e instanceof AccessDeniedException) {
            return "access denied";
        }
        if (e instanceof FileAlreadyExistsException) {
            return "exists already";
        }
        return e.getClass().getSimpleName();
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
