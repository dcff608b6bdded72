// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AccessTest {

    private static final String TOKEN = "0123456789abcdef";

    private final Access open = new Access(Set.of("cameras.example.org"), null);
    private final Access guarded = new Access(Set.of(), TOKEN);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "localhost",
                "LocalHost:8080",
                "127.0.0.1:8080",
                "10.1.2.3",
                "[::1]",
                "[fe80::1]:8080",
                "Cameras.Example.org",
                "cameras.example.org:443"
            })
    void shouldAnswerToItsAddressesAndNames(String host) {
        assertThat(open.allowsHost(host)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":8080",
                "evil.example",
                "localhost.evil.example",
                "127.0.0.1.evil.example:8080",
                "[::1].evil.example",
                "[evil]",
                "example.org"
            })
    void shouldNotAnswerToOtherNames(String host) {
        assertThat(open.allowsHost(host)).isFalse();
    }

    @Test
    void shouldNotAnswerToNobody() {
        assertThat(open.allowsHost(null)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "http://127.0.0.1:8080, 127.0.0.1:8080",
        "http://localhost, localhost",
        "http://localhost, localhost:80",
        "https://cameras.example.org, Cameras.example.org",
        "https://cameras.example.org:443, cameras.example.org",
        "http://[::1]:8080, [::1]:8080"
    })
    void shouldLetItsOwnPagesConnect(String origin, String host) {
        assertThat(Access.allowsOrigin(origin, host)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "http://evil.example, 127.0.0.1:8080",
        "http://127.0.0.1:8081, 127.0.0.1:8080",
        "http://127.0.0.1, 127.0.0.1:8080",
        "http://127.0.0.1:8080.evil.example, 127.0.0.1:8080",
        "http://127.0.0.1:8080@evil.example, 127.0.0.1:8080",
        "null, 127.0.0.1:8080",
        "'', 127.0.0.1:8080",
        "file://, 127.0.0.1:8080",
        "http://a b, 127.0.0.1:8080"
    })
    void shouldLetNoOtherPageConnect(String origin, String host) {
        assertThat(Access.allowsOrigin(origin, host)).isFalse();
    }

    @Test
    void shouldLetProgramsConnectThatAreNoPages() {
        assertThat(Access.allowsOrigin(null, "127.0.0.1:8080")).isTrue();
        assertThat(Access.allowsOrigin("http://127.0.0.1", null)).isFalse();
    }

    @Test
    void shouldAdmitEveryoneWithoutAToken() {
        assertThat(open.needsToken()).isFalse();
        assertThat(open.admits(null, null)).isTrue();
        assertThat(open.isToken("")).isFalse();
    }

    @Test
    void shouldAdmitWhoHasTheToken() {
        assertThat(guarded.admits("Bearer " + TOKEN, null)).isTrue();
        assertThat(guarded.admits("bearer " + TOKEN, null)).isTrue();
        assertThat(guarded.admits(null, guarded.cookie())).isTrue();
        assertThat(guarded.isToken(TOKEN)).isTrue();
    }

    @Test
    void shouldAdmitNobodyElse() {
        assertThat(guarded.admits(null, null)).isFalse();
        assertThat(guarded.admits("Bearer ", null)).isFalse();
        assertThat(guarded.admits("Bearer " + TOKEN + "0", null)).isFalse();
        assertThat(guarded.admits("Basic " + TOKEN, null)).isFalse();
        assertThat(guarded.admits(null, TOKEN)).isFalse();
        assertThat(guarded.admits(null, "")).isFalse();
        assertThat(guarded.isToken("")).isFalse();
    }

    @Test
    void shouldNotHaveTheTokenInTheCookieOrInItsText() {
        assertThat(guarded.cookie()).doesNotContain(TOKEN);
        assertThat(new HttpEndpoint("127.0.0.1", 0, Set.of(), TOKEN).toString())
                .doesNotContain(TOKEN);
    }

    @Test
    void shouldRefuseATokenThatCouldBeGuessed() {
        assertThatThrownBy(() -> new HttpEndpoint("127.0.0.1", 0, Set.of(), "short"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "the token has 5 characters, expected at least 16: make one with openssl rand -hex 16");
    }
}
