// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import io.sightline.live.Messages.Moment;
import io.sightline.live.WindowFrame.Picture;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** All browsers that watch. Safe for use by several threads. */
final class Viewers {

    /** Each may hold a picture beside the window's. */
    static final int MAX_VIEWERS = 64;

    private final Duration patience;
    private final Set<Viewer> viewers = ConcurrentHashMap.newKeySet();
    private final AtomicLong cutOff = new AtomicLong();

    /**
     * @param patience how long one message may take to be handed to the network
     */
    Viewers(Duration patience) {
        this.patience = patience;
    }

    /** False where there are enough. */
    synchronized boolean add(Viewer viewer) {
        return viewers.size() < MAX_VIEWERS && viewers.add(viewer);
    }

    void remove(Viewer viewer) {
        viewers.remove(viewer);
        viewer.close();
    }

    void offer(Picture picture) {
        viewers.forEach(viewer -> viewer.offer(picture));
    }

    void tell(String text) {
        viewers.forEach(viewer -> viewer.tell(text));
    }

    /**
     * To be called every second: tells all how things are, and lets go of those that take nothing.
     */
    void status(Moment moment) {
        for (Viewer viewer : viewers) {
            if (viewer.sendingNanos() > patience.toNanos()) {
                cutOff.incrementAndGet();
                viewer.cutOff();
                remove(viewer);
            } else {
                viewer.status(moment);
            }
        }
    }

    int count() {
        return viewers.size();
    }

    /** Viewers that took nothing for too long. */
    long countCutOff() {
        return cutOff.get();
    }
}
