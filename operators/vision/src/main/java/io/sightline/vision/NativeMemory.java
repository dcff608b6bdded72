// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import org.bytedeco.javacpp.Pointer;

/**
 * What JavaCPP has allocated outside the heap, and the limits it holds itself to. Memory that
 * native libraries allocate for themselves shows in the physical figures only.
 */
public final class NativeMemory {

    private NativeMemory() {}

    /** Bytes allocated through JavaCPP in this process. */
    public static long allocatedBytes() {
        return Pointer.totalBytes();
    }

    /**
     * The most JavaCPP will allocate ({@code org.bytedeco.javacpp.maxbytes}, by default the heap
     * size); 0 where there is no limit.
     */
    public static long maxBytes() {
        return Math.max(0, Pointer.maxBytes());
    }

    /** Resident bytes of this process, heap included. */
    public static long physicalBytes() {
        return Pointer.physicalBytes();
    }
}
