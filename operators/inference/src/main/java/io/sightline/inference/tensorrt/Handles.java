// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an object owns, closed in the reverse order. A failure to close one does not keep the others
 * open: it is logged, since a handle that cannot be given back is nobody's to mend.
 */
final class Handles implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Handles.class);

    private final Deque<AutoCloseable> owned = new ArrayDeque<>();

    <T extends AutoCloseable> T own(T handle) {
        owned.addFirst(handle);
        return handle;
    }

    /** Idempotent. */
    @Override
    public void close() {
        while (!owned.isEmpty()) {
            try {
                owned.removeFirst().close();
            } catch (Exception e) {
                LOG.warn("a handle of the GPU could not be given back", e);
            }
        }
    }
}
