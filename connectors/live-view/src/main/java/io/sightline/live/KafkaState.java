// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import java.util.List;
import java.util.Locale;

/**
 * How the server stands with Kafka.
 *
 * @param missingTopics of those the page cannot do without, the ones that are not there
 */
record KafkaState(Contact contact, List<String> missingTopics) {

    enum Contact {
        /** No broker has answered yet. */
        CONNECTING,
        CONNECTED,
        /** Brokers answered before, and do not now. */
        LOST,
        /** Brokers answer that this client may not read; the log says why. */
        REFUSED;

        /** As the page is told. */
        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
