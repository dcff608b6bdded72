// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.InferenceException;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.flink.api.common.externalresource.ExternalResourceInfo;
import org.junit.jupiter.api.Test;

class AssignedGpusTest {

    private record Gpu(String index) implements ExternalResourceInfo {
        @Override
        public Optional<String> getProperty(String key) {
            return key.equals("index") ? Optional.ofNullable(index) : Optional.empty();
        }

        @Override
        public Collection<String> getKeys() {
            return List.of("index");
        }
    }

    @Test
    void shouldBeNoneWhereFlinkKnowsOfNone() {
        assertThat(AssignedGpus.indices(Set.of())).isEmpty();
    }

    @Test
    void shouldBeTheSameForEverySubtask() {
        assertThat(AssignedGpus.indices(Set.of(new Gpu("3"), new Gpu("0"), new Gpu(" 11 "))))
                .containsExactly(0, 3, 11);
    }

    @Test
    void shouldNameAScriptThatGivesNoIndex() {
        for (Gpu gpu : List.of(new Gpu("GPU-ab12"), new Gpu(null))) {
            assertThatThrownBy(() -> AssignedGpus.indices(Set.of(gpu)))
                    .isInstanceOf(InferenceException.class)
                    .hasMessageContaining("expected a number")
                    .hasMessageContaining("external-resource.gpu.param.discovery-script.path");
        }
    }
}
