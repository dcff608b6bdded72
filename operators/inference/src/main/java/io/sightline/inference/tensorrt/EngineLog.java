// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import io.sightline.inference.InferenceException;
import io.sightline.inference.ProcessUnusableException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.tensorrt.nvinfer.ILogger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * TensorRT's log, passed on. One for the process, never deleted: TensorRT keeps the one that it is
 * given first, also for those who come with their own later, so it must outlive the job that made
 * it. Its calls tell no reason for a failure, only this log does.
 */
final class EngineLog extends ILogger {

    private static final Logger LOG = LoggerFactory.getLogger("io.sightline.tensorrt");

    @SuppressWarnings("unchecked")
    private static final AtomicReference<String> LAST_ERROR =
            (AtomicReference<String>) ProcessWide.get("error", AtomicReference::new);

    @SuppressWarnings("unchecked")
    private static final List<Runnable> LISTENERS =
            (List<Runnable>) ProcessWide.get("listeners", CopyOnWriteArrayList::new);

    private EngineLog() {}

    static ILogger instance() {
        return (ILogger) ProcessWide.get("log", EngineLog::new);
    }

    /** Told of every message until closed, by the thread that logs. */
    static AutoCloseable listen(Runnable listener) {
        LISTENERS.add(listener);
        return () -> LISTENERS.remove(listener);
    }

    /**
     * An exception for a call of TensorRT that failed, with the last error it logged; of the kind
     * that ends the process where CUDA is in a state that only a new one gets out of.
     */
    static InferenceException failed(String call) {
        String error = LAST_ERROR.getAndSet(null);
        String message =
                "TensorRT's "
                        + call
                        + " failed: "
                        + (error == null ? "it does not say why" : error);
        return Cuda.endsProcess(cudart.cudaPeekAtLastError())
                ? new ProcessUnusableException(message)
                : new InferenceException(message);
    }

    /** A call's answer that must be yes. */
    static void require(boolean success, String call) {
        if (!success) {
            throw failed(call);
        }
    }

    // Nothing may be thrown into C++.
    @Override
    public void log(Severity severity, String message) {
        try {
            // A build tells hundreds of thousands of details.
            if (severity.intern() != Severity.kVERBOSE || LOG.isTraceEnabled()) {
                pass(severity.intern(), String.valueOf(message).replaceAll("\\s+", " ").strip());
            }
            LISTENERS.forEach(Runnable::run);
        } catch (Throwable e) {
            LOG.warn("a message of TensorRT's was lost", e);
        }
    }

    private static void pass(Severity severity, String text) {
        switch (severity) {
            case kINTERNAL_ERROR, kERROR -> {
                LAST_ERROR.set(text);
                LOG.error(text);
            }
            case kWARNING -> LOG.warn(text);
            case kINFO -> LOG.info(text);
            case kVERBOSE -> LOG.trace(text);
        }
    }
}
