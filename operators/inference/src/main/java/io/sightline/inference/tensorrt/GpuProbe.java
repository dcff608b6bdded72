// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import io.sightline.inference.InferenceException;
import io.sightline.inference.ProcessUnusableException;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Finds out whether a GPU can be used, and says what is missing where not. Nothing of TensorRT may
 * be touched before: without a usable device its functions end the process instead of returning an
 * error.
 */
final class GpuProbe {

    /** Turing and Hopper: the oldest and the newest that TensorRT 10.6 has kernels for. */
    private static final int MIN_SM = 75;

    private static final int MAX_SM = 90;

    private static final String DRIVER_REMEDY = "install it, or start a container with --gpus all";

    /** The first attempt to load says why it failed; every later one only that it did. */
    private static final AtomicReference<LinkageError> FIRST_FAILURE = new AtomicReference<>();

    private final GpuCalls calls;
    private final AtomicReference<LinkageError> firstFailure;

    private GpuProbe(GpuCalls calls, AtomicReference<LinkageError> firstFailure) {
        this.calls = calls;
        this.firstFailure = firstFailure;
    }

    GpuProbe(GpuCalls calls) {
        this(calls, new AtomicReference<>());
    }

    static GpuProbe ofThisMachine() {
        return new GpuProbe(new NativeGpuCalls(), FIRST_FAILURE);
    }

    /**
     * @param index as the CUDA driver counts
     * @throws InferenceException if that GPU cannot be used: one line that says what is missing and
     *     what to do
     * @throws ProcessUnusableException if it could be used in a new process only
     */
    GpuDevice require(int index) {
        if (!calls.driverSeen()) {
            throw refused("no NVIDIA driver is installed here (libcuda.so.1): " + DRIVER_REMEDY);
        }
        int[] count = new int[1];
        try {
            int status = calls.deviceCount(count);
            if (Cuda.endsProcess(status)) {
                throw new ProcessUnusableException(
                        "no GPU can be used in this process any more ("
                                + calls.describe(status)
                                + ")");
            }
            if (status != GpuCalls.SUCCESS) {
                throw unusable(status);
            }
        } catch (LinkageError e) {
            throw notLoaded(e);
        }
        if (count[0] == 0) {
            throw refused(
                    "the NVIDIA driver shows no GPU to this process: check nvidia-smi and CUDA_VISIBLE_DEVICES, start a container with --gpus all");
        }
        if (index < 0 || index >= count[0]) {
            throw refused(
                    "GPU %d is asked for, but this process sees %s: name one with --gpu-device"
                            .formatted(
                                    index,
                                    count[0] == 1 ? "GPU 0 only" : "GPU 0 to " + (count[0] - 1)));
        }
        int[] sm = calls.computeCapability(index);
        String name = calls.deviceName(index);
        int capability = 10 * sm[0] + sm[1];
        if (capability < MIN_SM || capability > MAX_SM) {
            throw refused(
                    "GPU %d (%s) has compute capability %d.%d, expected 7.5 (such as T4) to 9.0 (such as H200), which TensorRT 10.6 builds for"
                            .formatted(index, name, sm[0], sm[1]));
        }
        return new GpuDevice(index, name, sm[0], sm[1], tensorRtVersion());
    }

    private String tensorRtVersion() {
        try {
            return calls.tensorRtVersion();
        } catch (LinkageError e) {
            throw refusedFor(
                    remember(e),
                    "the GPU is there, but TensorRT's libraries cannot be loaded ("
                            + reason(remember(e))
                            + "): "
                            + libraries());
        }
    }

    private InferenceException unusable(int status) {
        int driver = calls.driverVersion();
        int runtime = calls.runtimeVersion();
        if (driver == 0) {
            return refused(
                    "no working NVIDIA driver is installed here ("
                            + calls.describe(status)
                            + "): "
                            + DRIVER_REMEDY);
        }
        if (driver / 1000 < runtime / 1000) {
            return refused(
                    "the NVIDIA driver is for CUDA %s, expected %d.0 or newer (%s): update the driver"
                            .formatted(version(driver), runtime / 1000, calls.describe(status)));
        }
        return refused(
                "the NVIDIA driver (CUDA "
                        + version(driver)
                        + ") finds no usable GPU ("
                        + calls.describe(status)
                        + "): check nvidia-smi and CUDA_VISIBLE_DEVICES, start a container with --gpus all");
    }

    private InferenceException notLoaded(LinkageError e) {
        LinkageError first = remember(e);
        String reason = reason(first);
        return refusedFor(
                first,
                reason.contains("libcuda.so")
                        ? "the NVIDIA driver is not complete (" + reason + "): " + DRIVER_REMEDY
                        : "the CUDA libraries cannot be loaded (" + reason + "): " + libraries());
    }

    private LinkageError remember(LinkageError e) {
        firstFailure.compareAndSet(null, e);
        return firstFailure.get();
    }

    private static String libraries() {
        return "build with mvn package -Pgpu or unpack the GPU bundle; in a Flink cluster its cuda and tensorrt jars belong in lib/";
    }

    private static InferenceException refused(String why) {
        return refusedFor(null, why);
    }

    private static InferenceException refusedFor(Throwable cause, String why) {
        return new InferenceException(
                "TensorRT needs an NVIDIA GPU: " + why + "; --backend onnxruntime needs none",
                cause);
    }

    /** As CUDA writes its versions: 12.6. */
    static String version(int version) {
        return version / 1000 + "." + version % 1000 / 10;
    }

    /** The library that was not found, where any cause names one; else the first cause's words. */
    private static String reason(Throwable e) {
        String text = null;
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            String message = oneLine(cause);
            if (message.contains(": cannot open shared object file")) {
                String upToName = message.substring(0, message.indexOf(": cannot open shared"));
                return upToName.substring(upToName.lastIndexOf(' ') + 1) + " is not there";
            }
            text = text == null ? message : text;
        }
        return text;
    }

    private static String oneLine(Throwable e) {
        String message = e.getMessage() == null ? e.toString() : e.getMessage();
        // What a loader searched is longer than what it searched for.
        int details = message.indexOf(" in java.library.path");
        return (details < 0 ? message : message.substring(0, details))
                .replaceAll("\\s+", " ")
                .strip();
    }
}
