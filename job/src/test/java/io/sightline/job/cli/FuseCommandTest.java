// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.inference.ModelFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FuseCommandTest {

    @TempDir Path folder;

    @Test
    void shouldFuseASynthesisedNetworkAndSayWhatItDid() throws Exception {
        String trained = folder.resolve("trained.onnx").toString();
        CommandLineRun synth =
                CommandLineRun.of(
                        "model",
                        "synth",
                        "--model",
                        "yolov6n",
                        "--version",
                        "2.0",
                        "--form",
                        "qarepvgg-v2",
                        "--width",
                        "64",
                        "--height",
                        "96",
                        "--classes",
                        "2",
                        "--seed",
                        "5",
                        "--out",
                        trained);
        assertThat(synth.err()).isEmpty();
        assertThat(synth.status()).isZero();
        assertThat(synth.out()).contains("yolov6n-2.0", "seed 5", "64x96");

        Path fused = folder.resolve("fused.onnx");
        CommandLineRun fuse =
                CommandLineRun.of("model", "fuse", "--model", trained, "--out", fused.toString());
        assertThat(fuse.err()).isEmpty();
        assertThat(fuse.status()).isZero();
        assertThat(fuse.out())
                .contains("35  parallel branches into one convolution", "proof: on random input");
        assertThat(ModelFile.read(fused).name()).isEqualTo("yolov6n-2.0-random");
        assertThat(Files.size(fused)).isLessThan(Files.size(Path.of(trained)));
    }

    @Test
    void shouldSayInOneLineWhatIsWrong() {
        CommandLineRun unknown =
                CommandLineRun.of(
                        "model",
                        "synth",
                        "--model",
                        "yolov6t",
                        "--version",
                        "3.0",
                        "--out",
                        folder.resolve("t.onnx").toString());
        assertThat(unknown.status()).isEqualTo(1);
        assertThat(unknown.errLines())
                .singleElement()
                .asString()
                .startsWith("sightline model synth: yolov6t exists in version 2.0 only");
        CommandLineRun form =
                CommandLineRun.of(
                        "model",
                        "synth",
                        "--model",
                        "yolov6n",
                        "--version",
                        "3.0",
                        "--form",
                        "other",
                        "--out",
                        "t.onnx");
        assertThat(form.errLines())
                .singleElement()
                .asString()
                .contains("'other' is none of inference, repvgg, qarepvgg, qarepvgg-v2");
        CommandLineRun absent =
                CommandLineRun.of("model", "fuse", "--model", "none.onnx", "--out", "t.onnx");
        assertThat(absent.errLines())
                .singleElement()
                .asString()
                .startsWith("sightline model fuse: model none.onnx: cannot be read");
        assertThat(folder).isEmptyDirectory();
    }
}
