// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import java.nio.charset.StandardCharsets;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.cuda.global.nvml;
import org.bytedeco.cuda.nvml.nvmlDevice_st;
import org.bytedeco.cuda.nvml.nvmlUtilization_t;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How busy and how full a GPU is. Utilisation comes from the driver's management library (NVML);
 * where that is not there or refuses, it stays unknown and nothing else suffers. For any thread.
 */
final class GpuMonitor implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(GpuMonitor.class);

    private static final int UNKNOWN = -1;

    /** Of a PCI address such as 00000000:3B:00.0. */
    private static final int BUS_ID_BYTES = 32;

    private final int device;

    /** Null where NVML is not to be had. */
    private nvmlDevice_st handle;

    private boolean closed;

    GpuMonitor(int device) {
        this.device = device;
        try {
            open();
        } catch (LinkageError e) {
            LOG.info("GPU {}: its utilisation stays unknown: no NVML ({})", device, e.toString());
        }
    }

    private void open() {
        int status = nvml.nvmlInit_v2();
        if (status != nvml.NVML_SUCCESS) {
            LOG.info("GPU {}: its utilisation stays unknown: nvmlInit_v2 gives {}", device, status);
            return;
        }
        byte[] busId = new byte[BUS_ID_BYTES];
        nvmlDevice_st found = new nvmlDevice_st();
        // NVML does not count as CUDA does where CUDA_VISIBLE_DEVICES is set.
        if (cudart.cudaDeviceGetPCIBusId(busId, busId.length, device) == GpuCalls.SUCCESS) {
            try (BytePointer name = new BytePointer(busId)) {
                status = nvml.nvmlDeviceGetHandleByPciBusId_v2(name, found);
            }
            if (status == nvml.NVML_SUCCESS) {
                handle = found;
                return;
            }
        }
        LOG.info(
                "GPU {} ({}): its utilisation stays unknown: NVML does not know it",
                device,
                new String(busId, StandardCharsets.US_ASCII).strip());
        nvml.nvmlShutdown();
    }

    /** 0 to 100 over the last moments; −1 where unknown. */
    synchronized int utilisationPercent() {
        if (closed || handle == null) {
            return UNKNOWN;
        }
        try (nvmlUtilization_t utilisation = new nvmlUtilization_t()) {
            return nvml.nvmlDeviceGetUtilizationRates(handle, utilisation) == nvml.NVML_SUCCESS
                    ? utilisation.gpu()
                    : UNKNOWN;
        }
    }

    /** Memory of the GPU in use by all processes, in bytes; 0 after close. */
    synchronized long usedBytes() {
        if (closed) {
            return 0;
        }
        Cuda.use(device);
        try (SizeTPointer free = new SizeTPointer(1);
                SizeTPointer total = new SizeTPointer(1)) {
            Cuda.check(cudart.cudaMemGetInfo(free, total), "cudaMemGetInfo");
            return total.get() - free.get();
        }
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            if (handle != null) {
                nvml.nvmlShutdown();
            }
        }
    }
}
