// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.testing;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;

/** Pictures of which no two are alike: each pixel by chance. */
public final class NoisePictures {

    private NoisePictures() {}

    /** {@code name0.png} and so on, that many pixels on each side; the same seed gives the same. */
    public static List<Path> write(Path folder, String name, int count, int side, long seed)
            throws IOException {
        Files.createDirectories(folder);
        Random random = new Random(seed);
        List<Path> files = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            BufferedImage picture = new BufferedImage(side, side, BufferedImage.TYPE_3BYTE_BGR);
            for (int pixel = 0; pixel < side * side; pixel++) {
                picture.setRGB(pixel % side, pixel / side, random.nextInt(1 << 24));
            }
            Path file = folder.resolve(name + i + ".png");
            ImageIO.write(picture, "png", file.toFile());
            files.add(file);
        }
        return files;
    }
}
