// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class EngineKeyTest {

    private static final EngineKey KEY =
            new EngineKey("ab12", "sm_75", "10.6.0.26", "int8", "1,2-8,9-32", "", "weak");

    @Test
    void shouldHaveAnotherFileForEveryOtherKey() {
        List<EngineKey> others =
                List.of(
                        new EngineKey(
                                "ab13", "sm_75", "10.6.0.26", "int8", "1,2-8,9-32", "", "weak"),
                        new EngineKey(
                                "ab12", "sm_90", "10.6.0.26", "int8", "1,2-8,9-32", "", "weak"),
                        new EngineKey(
                                "ab12", "sm_75", "10.6.0.27", "int8", "1,2-8,9-32", "", "weak"),
                        new EngineKey(
                                "ab12", "sm_75", "10.6.0.26", "fp16", "1,2-8,9-32", "", "weak"),
                        new EngineKey("ab12", "sm_75", "10.6.0.26", "int8", "1,2-32", "", "weak"),
                        new EngineKey(
                                "ab12",
                                "sm_75",
                                "10.6.0.26",
                                "int8",
                                "1,2-8,9-32",
                                "640x384",
                                "weak"),
                        new EngineKey(
                                "ab12", "sm_75", "10.6.0.26", "int8", "1,2-8,9-32", "", "weak2"));
        assertThat(
                        Stream.concat(Stream.of(KEY), others.stream())
                                .map(key -> key.fileName("yolov6s")))
                .doesNotHaveDuplicates();
        assertThat(others)
                .allSatisfy(
                        other ->
                                assertThat(KEY.difference(other))
                                        .contains(", expected ")
                                        .doesNotContain(" is null"));
        assertThat(KEY.difference(KEY)).isEmpty();
    }

    @Test
    void shouldBeReadableInTheFileName() {
        assertThat(KEY.fileName("yolov6s")).matches("yolov6s-sm75-int8-b32-[0-9a-f]{12}");
        assertThat(KEY.fileName("a/b c")).startsWith("a_b_c-");
    }
}
