// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.sightline.inference.InferenceException;
import io.sightline.inference.ProcessUnusableException;
import org.junit.jupiter.api.Test;

/** Every way in which a machine can be without a usable GPU, each with its own words. */
class GpuProbeTest {

    private static final int INSUFFICIENT_DRIVER = 35;
    private static final int NO_DEVICE = 100;
    private static final int ILLEGAL_ADDRESS = 700;

    private final Machine machine = new Machine();

    /** A machine as a test makes it; at first a T4 with everything. */
    private static final class Machine implements GpuCalls {
        boolean driverSeen = true;
        LinkageError cuda;
        LinkageError tensorRt;
        int status = SUCCESS;
        int devices = 1;
        int driver = 12_060;
        int[] capability = {7, 5};
        boolean tensorRtTouched;

        @Override
        public boolean driverSeen() {
            return driverSeen;
        }

        @Override
        public int deviceCount(int[] count) {
            if (cuda != null) {
                throw cuda;
            }
            count[0] = devices;
            return status;
        }

        @Override
        public int driverVersion() {
            return driver;
        }

        @Override
        public int runtimeVersion() {
            return 12_060;
        }

        @Override
        public String describe(int code) {
            return "error " + code;
        }

        @Override
        public String deviceName(int device) {
            return "Tesla T4";
        }

        @Override
        public int[] computeCapability(int device) {
            return capability;
        }

        @Override
        public String tensorRtVersion() {
            tensorRtTouched = true;
            if (tensorRt != null) {
                throw tensorRt;
            }
            return "10.6.0.26";
        }
    }

    private String refusal(int index) {
        Throwable thrown = catchThrowable(() -> new GpuProbe(machine).require(index));
        assertThat(thrown).isInstanceOf(InferenceException.class);
        assertThat(thrown.getMessage())
                .startsWith("TensorRT needs an NVIDIA GPU: ")
                .endsWith("; --backend onnxruntime needs none")
                .doesNotContain("\n");
        return thrown.getMessage();
    }

    @Test
    void shouldDescribeAGpuThatCanBeUsed() {
        machine.devices = 2;
        GpuDevice device = new GpuProbe(machine).require(1);
        assertThat(device).isEqualTo(new GpuDevice(1, "Tesla T4", 7, 5, "10.6.0.26"));
        assertThat(device).hasToString("GPU 1 (Tesla T4, sm_75)");
    }

    @Test
    void shouldNameTheDriverWhereThereIsNoSignOfOneAndTouchNothing() {
        machine.driverSeen = false;
        machine.cuda = new UnsatisfiedLinkError("touched");
        assertThat(refusal(0))
                .contains("GPU: no NVIDIA driver is installed here (libcuda.so.1): install it")
                .contains("--gpus all");
    }

    @Test
    void shouldNameTheLibrariesWhereADriverIsThere() {
        machine.cuda =
                new UnsatisfiedLinkError("no jnicudart in java.library.path: /usr/lib, /lib");
        assertThat(refusal(0))
                .contains("GPU: the CUDA libraries cannot be loaded (no jnicudart): build with mvn")
                .contains("mvn package -Pgpu", "GPU bundle", "in a Flink cluster")
                .doesNotContain("/usr/lib");
    }

    @Test
    void shouldNameTheDriverWhereTheLibrariesMissItsOwn() {
        UnsatisfiedLinkError error = new UnsatisfiedLinkError("no jnicudart in java.library.path");
        error.initCause(
                new UnsatisfiedLinkError(
                        "/cache/libjnicudart.so: libcuda.so.1: cannot open shared object file: No such file or directory"));
        machine.cuda = error;
        assertThat(refusal(0))
                .contains("the NVIDIA driver is not complete (libcuda.so.1 is not there): install")
                .doesNotContain("-Pgpu");
    }

    @Test
    void shouldSayTheSameOnEveryFurtherAttempt() {
        machine.cuda = new UnsatisfiedLinkError("no jnicudart in java.library.path");
        GpuProbe probe = new GpuProbe(machine);
        String first = catchThrowable(() -> probe.require(0)).getMessage();
        machine.cuda = new NoClassDefFoundError("Could not initialize class cudart");
        assertThatThrownBy(() -> probe.require(0)).hasMessage(first);
    }

    @Test
    void shouldNameADriverThatIsNotThereThoughItsLibraryIs() {
        machine.status = INSUFFICIENT_DRIVER;
        machine.driver = 0;
        assertThat(refusal(0))
                .contains("no working NVIDIA driver is installed here (error 35): install it");
    }

    /** It would blame the driver for ever, and the process has to end. */
    @Test
    void shouldTellAProcessThatIsSpoiltFromAMachineWithoutAGpu() {
        machine.status = ILLEGAL_ADDRESS;
        assertThatThrownBy(() -> new GpuProbe(machine).require(0))
                .isInstanceOf(ProcessUnusableException.class)
                .hasMessage("no GPU can be used in this process any more (error 700)");
    }

    @Test
    void shouldNameADriverThatIsTooOld() {
        machine.status = INSUFFICIENT_DRIVER;
        machine.driver = 11_040;
        assertThat(refusal(0))
                .contains("the NVIDIA driver is for CUDA 11.4, expected 12.0 or newer")
                .contains("update the driver");
    }

    @Test
    void shouldSayThatTheDriverFindsNoGpu() {
        machine.status = NO_DEVICE;
        assertThat(refusal(0))
                .contains("the NVIDIA driver (CUDA 12.6) finds no usable GPU (error 100)")
                .contains("CUDA_VISIBLE_DEVICES");
        machine.status = GpuCalls.SUCCESS;
        machine.devices = 0;
        assertThat(refusal(0)).contains("shows no GPU to this process", "nvidia-smi");
    }

    @Test
    void shouldSayWhichGpusThereAre() {
        assertThat(refusal(1)).contains("GPU 1 is asked for, but this process sees GPU 0 only");
        machine.devices = 4;
        assertThat(refusal(-1)).contains("this process sees GPU 0 to 3", "--gpu-device");
    }

    @Test
    void shouldNameAGpuThatTensorRtDoesNotBuildFor() {
        machine.capability = new int[] {7, 0};
        assertThat(refusal(0)).contains("(Tesla T4) has compute capability 7.0, expected 7.5");
        machine.capability = new int[] {12, 0};
        assertThat(refusal(0)).contains("has compute capability 12.0", "to 9.0");
    }

    @Test
    void shouldNameTensorRtWhereItAloneIsMissing() {
        UnsatisfiedLinkError error = new UnsatisfiedLinkError("no jninvinfer in java.library.path");
        error.initCause(
                new UnsatisfiedLinkError(
                        "/c/libjninvinfer.so: libnvinfer.so.10: cannot open shared object file: No such"));
        machine.tensorRt = error;
        assertThat(refusal(0))
                .contains("TensorRT's libraries cannot be loaded (libnvinfer.so.10 is not there)");
    }

    @Test
    void shouldNotTouchTensorRtBeforeADeviceIsFound() {
        for (int status : new int[] {NO_DEVICE, INSUFFICIENT_DRIVER, 999}) {
            machine.status = status;
            refusal(0);
        }
        machine.status = GpuCalls.SUCCESS;
        machine.devices = 0;
        refusal(0);
        machine.devices = 1;
        refusal(3);
        assertThat(machine.tensorRtTouched).isFalse();
        new GpuProbe(machine).require(0);
        assertThat(machine.tensorRtTouched).isTrue();
    }

    /** Whatever this machine is, it is told in one line, twice the same, and the JVM lives on. */
    @Test
    void shouldTellOfThisMachineWithoutHarm() {
        String first = answer();
        assertThat(first)
                .matches("GPU 0 \\(.+, sm_\\d+\\)|TensorRT needs an NVIDIA GPU: .+")
                .doesNotContain("\n");
        assertThat(answer()).isEqualTo(first);
    }

    private static String answer() {
        try {
            return GpuProbe.ofThisMachine().require(0).toString();
        } catch (InferenceException e) {
            return e.getMessage();
        }
    }
}
