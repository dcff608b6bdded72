// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The batchers of this process, one for each key (job and model), shared by all who acquire it and
 * closed when the last of them lets go. One that has failed is not given out again: whoever
 * acquires next gets a new one, while those who hold the old one still have to release it.
 *
 * <p>Each is opened by a thread of its own: loading an engine can take minutes and cannot be
 * interrupted, those who wait for it can. Where all of them have left, it is closed as soon as it
 * is open.
 *
 * @param <R> what a lane's {@link OutputReader} makes of a row
 */
public final class SharedBatchers<R> {

    private static final Logger LOG = LoggerFactory.getLogger(SharedBatchers.class);

    private final Map<Object, Entry<R>> entries = new HashMap<>();

    private static final class Entry<R> {
        final CompletableFuture<MicroBatcher<R>> opened = new CompletableFuture<>();

        /** Those who wait for it among them. Guarded by the map's lock. */
        int holders;

        boolean useless() {
            return opened.isCompletedExceptionally() || (opened.isDone() && opened.join().failed());
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
            return entry.opened.join();
        }

        /** Lets go; the last one closes the batcher. Idempotent. */
        @Override
        public void close() {
            synchronized (SharedBatchers.this) {
                if (released) {
                    return;
                }
                released = true;
                // One that is still being opened is left to its opener, or to who comes meanwhile.
                if (--entry.holders > 0 || !entry.opened.isDone()) {
                    return;
                }
                entries.remove(key, entry);
            }
            if (!entry.opened.isCompletedExceptionally()) {
                entry.opened.join().close();
            }
        }
    }

    /**
     * The batcher of that key, made by {@code opener} where there is none in working order. Others
     * who acquire wait for the same one, so that an engine is loaded once; if that fails, all of
     * them fail with it, and whoever acquires next tries anew.
     *
     * @param opener called by another thread
     * @throws InterruptedException if the calling thread is interrupted while it waits; the engine
     *     is loaded to its end all the same
     */
    public Lease acquire(Object key, Supplier<MicroBatcher<R>> opener) throws InterruptedException {
        Lease lease = new Lease(key, enter(key, opener));
        try {
            lease.entry.opened.get();
            return lease;
        } catch (InterruptedException e) {
            lease.close();
            throw e;
        } catch (ExecutionException e) {
            lease.close();
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) e.getCause();
        }
    }

    private synchronized Entry<R> enter(Object key, Supplier<MicroBatcher<R>> opener) {
        Entry<R> entry = entries.get(key);
        if (entry == null || entry.useless()) {
            Entry<R> fresh = new Entry<>();
            Thread thread = new Thread(() -> open(key, fresh, opener), "sightline-opener");
            thread.setDaemon(true);
            // First, since a thread that cannot be started must leave nothing to wait for.
            thread.start();
            entries.put(key, fresh);
            entry = fresh;
        }
        entry.holders++;
        return entry;
    }

    private void open(Object key, Entry<R> entry, Supplier<MicroBatcher<R>> opener) {
        MicroBatcher<R> batcher = null;
        Throwable failure = null;
        try {
            batcher = opener.get();
        } catch (Throwable e) {
            failure = e;
        }
        synchronized (this) {
            if (failure == null) {
                entry.opened.complete(batcher);
            } else {
                entry.opened.completeExceptionally(failure);
            }
            if (entry.holders > 0) {
                return;
            }
            entries.remove(key, entry);
        }
        if (failure != null) {
            LOG.warn("what nobody waits for any more could not be opened", failure);
        } else {
            batcher.close();
        }
    }
}
