// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.onnxruntime;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession.SessionOptions;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How ONNX Runtime runs a graph.
 *
 * @param threads of one run, the calling one among them
 * @param optimise whether nodes may be fused and replaced; without, each node computes what ONNX
 *     defines, so that QDQ pairs round exactly where they stand
 * @param profile beginning of the path that {@link GraphSession#endProfiling} writes to; empty for
 *     no profile
 */
public record SessionSettings(int threads, boolean optimise, Optional<Path> profile) {

    /** As the job runs it. */
    public static SessionSettings serving(int threads) {
        return new SessionSettings(threads, true, Optional.empty());
    }

    /** Node by node as ONNX defines them: slower, and the same on every CPU. */
    public static SessionSettings reference(int threads) {
        return new SessionSettings(threads, false, Optional.empty());
    }

    /** As the job runs it, with the time of every node written down. */
    public static SessionSettings profiling(int threads, Path profile) {
        return new SessionSettings(threads, true, Optional.of(profile));
    }

    /** To be closed by the caller. */
    SessionOptions toOptions() throws OrtException {
        SessionOptions options = new SessionOptions();
        try {
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            options.setExecutionMode(SessionOptions.ExecutionMode.SEQUENTIAL);
            options.setOptimizationLevel(
                    optimise ? SessionOptions.OptLevel.ALL_OPT : SessionOptions.OptLevel.NO_OPT);
            // A spinning pool would take the cores that decode needs.
            options.addConfigEntry("session.intra_op.allow_spinning", "0");
            // What fails is thrown; on standard error it would only be told twice.
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
            if (profile.isPresent()) {
                options.enableProfiling(profile.get().toString());
            }
            return options;
        } catch (OrtException | RuntimeException | Error e) {
            options.close();
            throw e;
        }
    }
}
