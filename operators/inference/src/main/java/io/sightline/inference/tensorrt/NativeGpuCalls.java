// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import static org.bytedeco.cuda.global.cudart.cudaDevAttrComputeCapabilityMajor;
import static org.bytedeco.cuda.global.cudart.cudaDevAttrComputeCapabilityMinor;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.cuda.cudart.cudaDeviceProp;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.tensorrt.global.nvinfer;

/** The CUDA runtime and TensorRT themselves. */
final class NativeGpuCalls implements GpuCalls {

    /** Devices of the driver; the second is that of Windows' subsystem for Linux. */
    private static final List<Path> DEVICES =
            List.of(Path.of("/dev/nvidiactl"), Path.of("/dev/dxg"));

    private static final String DRIVER_LIBRARY = "libcuda.so.1";

    private static final List<String> LIBRARY_FOLDERS =
            List.of("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/lib/wsl/lib");

    @Override
    public boolean driverSeen() {
        String searched = System.getenv().getOrDefault("LD_LIBRARY_PATH", "");
        return Stream.concat(
                        DEVICES.stream(),
                        Stream.concat(
                                        LIBRARY_FOLDERS.stream(),
                                        Arrays.stream(searched.split(":", -1))
                                                .filter(folder -> !folder.isBlank()))
                                .map(folder -> Path.of(folder, DRIVER_LIBRARY)))
                .anyMatch(Files::exists);
    }

    @Override
    public int deviceCount(int[] count) {
        return cudart.cudaGetDeviceCount(count);
    }

    @Override
    public int driverVersion() {
        int[] version = new int[1];
        Cuda.check(cudart.cudaDriverGetVersion(version), "cudaDriverGetVersion");
        return version[0];
    }

    @Override
    public int runtimeVersion() {
        int[] version = new int[1];
        Cuda.check(cudart.cudaRuntimeGetVersion(version), "cudaRuntimeGetVersion");
        return version[0];
    }

    @Override
    public String describe(int status) {
        return Cuda.describe(status);
    }

    @Override
    public String deviceName(int device) {
        try (cudaDeviceProp properties = new cudaDeviceProp()) {
            Cuda.check(
                    cudart.cudaGetDeviceProperties(properties, device), "cudaGetDeviceProperties");
            return properties.name().getString();
        }
    }

    @Override
    public int[] computeCapability(int device) {
        return new int[] {
            attribute(cudaDevAttrComputeCapabilityMajor, device),
            attribute(cudaDevAttrComputeCapabilityMinor, device)
        };
    }

    private static int attribute(int attribute, int device) {
        int[] value = new int[1];
        Cuda.check(
                cudart.cudaDeviceGetAttribute(value, attribute, device), "cudaDeviceGetAttribute");
        return value[0];
    }

    @Override
    public String tensorRtVersion() {
        return "%d.%d.%d.%d"
                .formatted(
                        nvinfer.getInferLibMajorVersion(),
                        nvinfer.getInferLibMinorVersion(),
                        nvinfer.getInferLibPatchVersion(),
                        nvinfer.getInferLibBuildVersion());
    }
}
