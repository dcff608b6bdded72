// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Where the page is served, and to whom.
 *
 * @param address to bind, such as 127.0.0.1 or 0.0.0.0
 * @param port 0 for any that is free
 * @param names host names that browsers may reach it by, beside localhost and IP addresses
 * @param token what a viewer has to present; null for nothing
 */
public record HttpEndpoint(String address, int port, Set<String> names, String token) {

    /** Fewer characters could be guessed. */
    public static final int MIN_TOKEN_CHARS = 16;

    public HttpEndpoint {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("port " + port + ": expected 0 to 65535");
        }
        if (token != null && token.length() < MIN_TOKEN_CHARS) {
            throw new IllegalArgumentException(
                    "the token has "
                            + token.length()
                            + " characters, expected at least "
                            + MIN_TOKEN_CHARS
                            + ": make one with openssl rand -hex 16");
        }
        names =
                names.stream()
                        .map(name -> name.toLowerCase(Locale.ROOT))
                        .collect(Collectors.toUnmodifiableSet());
    }

    /** On the loopback interface, for everyone on this machine. */
    public static HttpEndpoint loopback(int port) {
        return new HttpEndpoint("127.0.0.1", port, Set.of(), null);
    }

    /** Never the token. */
    @Override
    public String toString() {
        return "HttpEndpoint[" + address + ":" + port + (token == null ? "]" : ", token]");
    }
}
