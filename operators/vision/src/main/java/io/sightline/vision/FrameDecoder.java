// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.events.FrameRejectedException;

/**
 * Decodes encoded frames, one at a time, into memory that it owns and reuses. For one thread at a
 * time.
 */
public interface FrameDecoder extends AutoCloseable {

    /**
     * @param encoded a whole picture; the format is told by its first bytes
     * @return the pixels, valid until the next call or {@link #close()}
     * @throws FrameRejectedException if the picture cannot, or must not, be decoded; the decoder
     *     stays usable
     */
    DecodedFrame decode(byte[] encoded) throws FrameRejectedException;

    /** Idempotent. */
    @Override
    void close();
}
