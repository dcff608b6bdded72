// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import io.sightline.live.Messages.Moment;
import io.sightline.live.WindowFrame.Picture;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;

/**
 * What one browser is sent, one message at a time.
 *
 * <p>Pictures do not queue: of each camera the newest waits, as a note that there is one, and is
 * fetched from the window when its turn comes; a slow viewer gets fewer pictures, not older ones.
 * TCP and the browser's own buffers would queue all the same, so only {@value #UNDER_WAY} pictures
 * of a camera are under way until the page says that it has dealt with one. Other messages queue up
 * to a bound. So a viewer that takes nothing holds one picture, and no thread.
 *
 * <p>Safe for use by several threads; none of them ever waits for the network.
 */
final class Viewer {

    /** Pictures of a camera sent and not acknowledged: one on its way, one being drawn. */
    static final int UNDER_WAY = 2;

    /** Characters of messages, beside pictures, that wait. */
    static final int MAX_WAITING_CHARS = 1 << 20;

    /** The way to the browser. Neither method blocks; each calls back once, perhaps at once. */
    interface Connection {
        void send(String text, Completion completion);

        void send(Picture picture, Completion completion);

        /** At once, whatever is under way. Idempotent. */
        void cut();
    }

    /** Told when a message has been handed to the network, or never will be. */
    interface Completion {
        void done(boolean sent);
    }

    /** What is known of one camera's pictures here. */
    private static final class Feed {
        long newestOffered;
        long lastSent;

        /** Of those sent with the picture itself. */
        long lastShown;

        long offered;
        long sent;
        int underWay;
    }

    private final FrameWindow window;
    private final Connection connection;
    private final LongSupplier nanos;

    /** Calls of {@link #pump} that want something done; the first of them does it for all. */
    private final AtomicInteger wanted = new AtomicInteger();

    private final Map<String, Feed> feeds = new HashMap<>();
    private final Set<String> pending = new LinkedHashSet<>();
    private final ArrayDeque<String> texts = new ArrayDeque<>();
    private final ArrayDeque<Feed> unacknowledged = new ArrayDeque<>();
    private Set<String> shown;
    private String hello;
    private Moment status;
    private long waitingChars;
    private long textsNotSent;
    private long acknowledged;
    private boolean sending;
    private long sendingSinceNanos;
    private boolean closed;

    /**
     * @param nanos a clock that nobody sets: {@link System#nanoTime} but for tests
     */
    Viewer(FrameWindow window, Connection connection, LongSupplier nanos) {
        this.window = window;
        this.connection = connection;
        this.nanos = nanos;
    }

    /**
     * The first message, however large. To be called before others know this viewer; it goes out
     * ahead of whatever comes next.
     */
    synchronized void greet(String text) {
        hello = text;
    }

    /** There is a newer picture. */
    void offer(Picture picture) {
        synchronized (this) {
            note(picture);
        }
        pump();
    }

    private void note(Picture picture) {
        if (closed) {
            return;
        }
        Feed feed = feeds.computeIfAbsent(picture.camera(), ignored -> new Feed());
        if (picture.index() == feed.newestOffered) {
            return;
        }
        feed.offered++;
        if (picture.index() > feed.newestOffered) {
            feed.newestOffered = picture.index();
            pending.add(picture.camera());
        }
    }

    /** A message that is worth a place in the queue; where that is full, the oldest goes. */
    void tell(String text) {
        synchronized (this) {
            if (closed) {
                return;
            }
            texts.add(text);
            waitingChars += text.length();
            while (waitingChars > MAX_WAITING_CHARS) {
                waitingChars -= texts.remove().length();
                textsNotSent++;
            }
        }
        pump();
    }

    /** How things are now; replaces what was not yet sent of how they were. */
    void status(Moment moment) {
        synchronized (this) {
            if (closed) {
                return;
            }
            status = moment;
            // Of cameras that the window forgot, nothing is kept here either.
            feeds.keySet().removeIf(camera -> !window.knows(camera));
            pending.retainAll(feeds.keySet());
        }
        pump();
    }

    /**
     * Only those cameras' pictures from now on, each that was not among the last ones beginning
     * with its newest. Of the others only what is known of a frame is sent, without its picture.
     *
     * @param cameras null for all
     */
    void show(Set<String> cameras) {
        Collection<Picture> newest = window.newest();
        synchronized (this) {
            if (closed) {
                return;
            }
            Set<String> before = shown;
            shown = cameras;
            for (Picture picture : newest) {
                String camera = picture.camera();
                note(picture);
                Feed feed = feeds.get(camera);
                if (before != null && !before.contains(camera)) {
                    // One that was on its way when the page turned from the camera was not kept.
                    feed.lastShown = 0;
                }
                if (isShown(camera) && feed.lastShown < picture.index()) {
                    pending.add(camera);
                }
            }
        }
        pump();
    }

    private boolean isShown(String camera) {
        return shown == null || shown.contains(camera);
    }

    /**
     * The page has dealt with so many pictures, counted from its first. Numbers that cannot be are
     * ignored.
     */
    void acknowledge(long pictures) {
        synchronized (this) {
            if (pictures > acknowledged + unacknowledged.size()) {
                return;
            }
            while (acknowledged < pictures) {
                unacknowledged.remove().underWay--;
                acknowledged++;
            }
        }
        pump();
    }

    /** Pictures of that camera that came and were not sent, the one that waits aside. */
    synchronized long notSent(String camera) {
        Feed feed = feeds.get(camera);
        if (feed == null) {
            return 0;
        }
        boolean waits = pending.contains(camera) && feed.newestOffered > feed.lastSent;
        return feed.offered - feed.sent - (waits ? 1 : 0);
    }

    /** For how long one message has been on its way out; 0 where none is. */
    synchronized long sendingNanos() {
        return sending ? nanos.getAsLong() - sendingSinceNanos : 0;
    }

    /** Pictures and messages that wait. */
    synchronized int waiting() {
        return pending.size() + texts.size();
    }

    /** The connection is gone. Idempotent. */
    synchronized void close() {
        closed = true;
        pending.clear();
        texts.clear();
        unacknowledged.clear();
        hello = null;
        status = null;
    }

    /** Gets rid of a viewer that takes nothing. */
    void cutOff() {
        close();
        connection.cut();
    }

    /** Sends while there is something to send and the network takes it. */
    private void pump() {
        if (wanted.getAndIncrement() > 0) {
            return;
        }
        do {
            Runnable next = next();
            if (next != null) {
                next.run();
            }
        } while (wanted.decrementAndGet() > 0);
    }

    private synchronized Runnable next() {
        if (sending || closed) {
            return null;
        }
        Runnable next = nextText();
        if (next == null) {
            next = nextPicture();
        }
        if (next != null) {
            sending = true;
            sendingSinceNanos = nanos.getAsLong();
        }
        return next;
    }

    private Runnable nextText() {
        String text;
        if (hello != null) {
            text = hello;
            hello = null;
        } else if (!texts.isEmpty()) {
            text = texts.remove();
            waitingChars -= text.length();
        } else if (status != null) {
            text = Messages.status(status, this::notSent, textsNotSent);
            status = null;
        } else {
            return null;
        }
        return () -> connection.send(text, this::done);
    }

    private Runnable nextPicture() {
        Iterator<String> cameras = pending.iterator();
        while (cameras.hasNext()) {
            String camera = cameras.next();
            Feed feed = feeds.get(camera);
            if (feed.underWay >= UNDER_WAY) {
                continue;
            }
            cameras.remove();
            Picture newest = window.newest(camera);
            boolean whole = isShown(camera);
            if (newest != null && newest.index() > (whole ? feed.lastShown : feed.lastSent)) {
                sends(feed, newest, whole);
                Picture picture = whole ? newest : newest.withoutImage();
                return () -> connection.send(picture, this::done);
            }
        }
        return null;
    }

    private void sends(Feed feed, Picture picture, boolean whole) {
        if (picture.index() > feed.lastSent) {
            feed.lastSent = picture.index();
            feed.sent++;
        }
        if (whole) {
            feed.lastShown = picture.index();
        }
        feed.underWay++;
        unacknowledged.add(feed);
    }

    private void done(boolean sent) {
        synchronized (this) {
            sending = false;
        }
        if (sent) {
            pump();
        } else {
            cutOff();
        }
    }
}
