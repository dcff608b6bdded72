// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Who may watch. A browser runs pages of other sites as well, with the user's cookies and inside
 * the user's network: the checks of host and origin keep those out.
 */
final class Access {

    private static final String BEARER = "Bearer ";
    private static final Pattern PORT = Pattern.compile(":\\d*$");
    private static final Pattern IPV4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");
    private static final Pattern IPV6 = Pattern.compile("\\[[0-9a-f:.]+]");

    private final Set<String> names;
    private final byte[] token;
    private final String cookie;

    /**
     * @param names hosts beside localhost and addresses, in lower case
     * @param token null where everyone may watch
     */
    Access(Set<String> names, String token) {
        this.names = names;
        this.token = token == null ? null : hash(token);
        this.cookie = token == null ? null : HexFormat.of().formatHex(hash("cookie\n" + token));
    }

    boolean needsToken() {
        return token != null;
    }

    /**
     * Whether the server may be called that. A site can give its own name this machine's address,
     * and so make its pages and this one the same origin to a browser; it cannot do so with an
     * address, nor with localhost.
     *
     * @param host the Host header
     */
    boolean allowsHost(String host) {
        if (host == null) {
            return false;
        }
        String name = withoutPort(host.toLowerCase(Locale.ROOT));
        return name.equals("localhost")
                || IPV4.matcher(name).matches()
                || IPV6.matcher(name).matches()
                || names.contains(name);
    }

    /**
     * Whether a page from there may connect: one that came from here, or what is no page.
     *
     * @param origin the Origin header, null where there is none
     * @param host the Host header
     */
    static boolean allowsOrigin(String origin, String host) {
        if (origin == null) {
            return true;
        }
        try {
            URI uri = URI.create(origin);
            String scheme = uri.getScheme();
            if (host == null || uri.getRawAuthority() == null || scheme == null) {
                return false;
            }
            String defaultPort = scheme.equalsIgnoreCase("https") ? ":443" : ":80";
            return withPort(uri.getRawAuthority(), defaultPort)
                    .equalsIgnoreCase(withPort(host, defaultPort));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /**
     * Whether this viewer has the token, or needs none.
     *
     * @param authorization the header of that name, or null
     * @param cookieValue of the cookie that {@link #cookie()} was given for, or null
     */
    boolean admits(String authorization, String cookieValue) {
        if (token == null) {
            return true;
        }
        if (authorization != null
                && authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            return isToken(authorization.substring(BEARER.length()).strip());
        }
        return cookieValue != null && MessageDigest.isEqual(hash(cookieValue), hash(cookie));
    }

    /** In constant time. */
    boolean isToken(String candidate) {
        return token != null && MessageDigest.isEqual(hash(candidate), token);
    }

    /** What a browser that had the token is given in its place; it does not reveal the token. */
    String cookie() {
        return cookie;
    }

    private static String withoutPort(String host) {
        return PORT.matcher(host).replaceFirst("");
    }

    private static String withPort(String host, String defaultPort) {
        return withoutPort(host).length() == host.length() ? host + defaultPort : host;
    }

    private static byte[] hash(String text) {
        try {
            return MessageDigest.getInstance("SHA-256")
                    .digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
