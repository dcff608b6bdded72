// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Names a file's content in tables and reports. */
public final class Sha256 {

    private Sha256() {}

    /**
     * @return 64 lower-case hexadecimal digits
     * @throws ToolchainException if the file cannot be read
     */
    public static String of(Path file) {
        try {
            return of(Files.readAllBytes(file));
        } catch (IOException e) {
            throw new ToolchainException(file + ": cannot be read: " + e, e);
        }
    }

    /**
     * @return 64 lower-case hexadecimal digits
     */
    public static String of(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
