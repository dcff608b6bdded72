// SPDX-License-Identifier: Apache-2.0
package io.sightline.events.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Real weights, pictures and videos that may not be shipped with the project. They lie in a folder
 * {@code shared} beside the checkout; a test that needs one which is not there is skipped, and says
 * so.
 */
public final class SharedFiles {

    private SharedFiles() {}

    /**
     * The file at that path inside {@code shared}; the running test is skipped where it is absent.
     */
    public static Path require(String path) {
        for (Path folder = Path.of("").toAbsolutePath();
                folder != null;
                folder = folder.getParent()) {
            Path file = folder.resolve("shared").resolve(path);
            if (Files.exists(file)) {
                return file;
            }
        }
        String reason = "skipped: no shared/" + path + " beside the checkout";
        System.out.println(reason);
        assumeTrue(false, reason);
        throw new AssertionError("not reached");
    }
}
