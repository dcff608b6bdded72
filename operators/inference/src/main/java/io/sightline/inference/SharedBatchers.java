// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The batchers of this process, one for each key (job and model), shared by all who acquire it and
 * closed when the last of them lets go. One that has failed is not given out again: whoever
 * acquires next gets a new one, while those who hold the old one still have to release it.
 *
 * @param <R> what a lane's {@link OutputReader} makes of a row
 */
public final class SharedBatchers<R> {

    private final Map<Object, Entry<R>> entries = new HashMap<>();

    private static final class Entry<R> {
        final MicroBatcher<R> batcher;
        int holders;

        Entry(MicroBatcher<R> batcher) {
            this.batcher = batcher;
        }
    }

    /** One holder's share in a batcher. */
    public final class Lease implements AutoCloseable {

        private final Object key;
        private final Entry<R> entry;
        private boolean released;

        private Lease(Object key, Entry<R> entry) {
            this.key = key;
            this.entry = entry;
        }

        public MicroBatcher<R> batcher() {
            return entry.batcher;
        }

        /** Lets go; the last one closes the batcher. Idempotent. */
        @Override
        public void close() {
            synchronized (SharedBatchers.this) {
                if (released) {
                    return;
                }
                released = true;
                if (--entry.holders > 0) {
                    return;
                }
                entries.remove(key, entry);
            }
            entry.batcher.close();
        }
    }

    /**
     * The batcher of that key, made by {@code opener} where there is none in working order. Others
     * who acquire wait meanwhile, so that an engine is loaded once.
     */
    public synchronized Lease acquire(Object key, Supplier<MicroBatcher<R>> opener) {
        Entry<R> entry = entries.get(key);
        if (entry == null || entry.batcher.failed()) {
            entry = new Entry<>(opener.get());
            entries.put(key, entry);
        }
        entry.holders++;
        return new Lease(key, entry);
    }
}
