// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import io.sightline.inference.RgbPlanes;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A batch on the GPU: its input, its outputs, and the moments of its way. A lane has as many as it
 * may have in flight and uses them in turn. Allocated once, for the largest batch.
 */
final class DeviceBatch implements AutoCloseable {

    private final Handles handles = new Handles();
    private final DeviceMemory input;
    private final List<DeviceMemory> outputs = new ArrayList<>();

    /** Null where the network takes bytes. */
    private final PinnedMemory planes;

    final GpuEvent uploadStarted;
    final GpuEvent uploaded;
    final GpuEvent computeStarted;
    final GpuEvent computed;
    final GpuEvent downloadStarted;
    final GpuEvent done;

    /** Submitted, and not awaited yet. */
    boolean inFlight;

    DeviceBatch(TensorPort inputPort, List<TensorPort> outputPorts, boolean floats, int maxBatch) {
        boolean opened = false;
        try {
            long inputBytes = inputPort.rowBytes() * maxBatch;
            input = handles.own(new DeviceMemory(inputBytes));
            planes = floats ? handles.own(new PinnedMemory(inputBytes)) : null;
            for (TensorPort port : outputPorts) {
                outputs.add(handles.own(new DeviceMemory(port.rowBytes() * maxBatch)));
            }
            uploadStarted = handles.own(new GpuEvent());
            uploaded = handles.own(new GpuEvent());
            computeStarted = handles.own(new GpuEvent());
            computed = handles.own(new GpuEvent());
            downloadStarted = handles.own(new GpuEvent());
            done = handles.own(new GpuEvent());
            opened = true;
        } finally {
            if (!opened) {
                handles.close();
            }
        }
    }

    DeviceMemory input() {
        return input;
    }

    DeviceMemory output(int index) {
        return outputs.get(index);
    }

    /** The pixels as the network takes them: the buffer's own, or planes of floats made of them. */
    PinnedMemory hostInput(TensorRtBatchBuffer buffer, int filled, RgbPlanes converter) {
        if (planes == null) {
            return buffer.pixels();
        }
        FloatBuffer floats = planes.bytes().asFloatBuffer();
        for (int i = 0; i < filled; i++) {
            converter.convert(buffer.slot(i), floats, i * buffer.slot(i).capacity());
        }
        return planes;
    }

    @Override
    public void close() {
        handles.close();
    }
}
