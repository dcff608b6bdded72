// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpecFileTest {

    @TempDir Path folder;

    @Test
    void shouldCarryWhatIsKnownButForChecksums() throws IOException {
        Files.writeString(
                folder.resolve("a.json"),
                "{\"border\": 3, \"sha256\": \"00\", \"precision\": \"int8\", \"mine\": [1]}");
        SpecFile.carry(folder.resolve("a.onnx"), folder.resolve("b.onnx"), "precision");
        assertThat(SpecFile.read(folder.resolve("b.onnx")).orElseThrow().toString())
                .isEqualTo("{\"border\":3,\"mine\":[1]}");
    }

    @Test
    void shouldWriteNothingWhereNothingIsKnown() {
        SpecFile.carry(folder.resolve("a.onnx"), folder.resolve("b.onnx"));
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void shouldSayWhatIsWrongWithAFile() throws IOException {
        Path model = folder.resolve("a.onnx");
        Files.writeString(folder.resolve("a.json"), "{");
        assertThatThrownBy(() -> SpecFile.read(model))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("a.json: not JSON");
        Files.writeString(folder.resolve("a.json"), "[]");
        assertThatThrownBy(() -> SpecFile.read(model)).hasMessageContaining("holds no object");
    }
}
