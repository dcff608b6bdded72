// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import io.sightline.live.WindowFrame.Picture;
import java.nio.ByteBuffer;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;

/** A browser's WebSocket. Jetty writes as the network takes it and calls back. */
final class WebSocketConnection implements Viewer.Connection {

    private final Session session;

    WebSocketConnection(Session session) {
        this.session = session;
    }

    @Override
    public void send(String text, Viewer.Completion completion) {
        try {
            session.sendText(text, callback(completion));
        } catch (RuntimeException e) {
            completion.done(false);
        }
    }

    /**
     * In two parts of one message, so that the picture goes out of the array that all viewers
     * share.
     */
    @Override
    public void send(Picture picture, Viewer.Completion completion) {
        byte[] header = picture.header();
        ByteBuffer prefix = ByteBuffer.allocate(Integer.BYTES + header.length);
        prefix.putInt(header.length).put(header).flip();
        try {
            session.sendPartialBinary(
                    prefix,
                    false,
                    Callback.from(
                            () -> sendRest(picture.image(), completion),
                            failure -> completion.done(false)));
        } catch (RuntimeException e) {
            completion.done(false);
        }
    }

    private void sendRest(byte[] image, Viewer.Completion completion) {
        try {
            session.sendPartialBinary(ByteBuffer.wrap(image), true, callback(completion));
        } catch (RuntimeException e) {
            completion.done(false);
        }
    }

    private static Callback callback(Viewer.Completion completion) {
        return Callback.from(() -> completion.done(true), failure -> completion.done(false));
    }

    @Override
    public void cut() {
        session.disconnect();
    }
}
