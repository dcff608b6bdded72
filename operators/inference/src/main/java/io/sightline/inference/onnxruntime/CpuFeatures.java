// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.onnxruntime;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What the processor can do for INT8.
 *
 * @param model the processor's name; empty where the system does not tell
 * @param flags as Linux names them; empty where the system does not tell
 */
public record CpuFeatures(String model, Set<String> flags) {

    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

    public CpuFeatures {
        flags = Set.copyOf(flags);
    }

    /** Of this machine. */
    public static CpuFeatures ofThisMachine() {
        try {
            return parse(Files.readString(CPU_INFO));
        } catch (IOException e) {
            return new CpuFeatures("", Set.of());
        }
    }

    static CpuFeatures parse(String cpuInfo) {
        return new CpuFeatures(
                field(cpuInfo, "model name").orElse(""),
                field(cpuInfo, "flags")
                        .map(line -> Arrays.stream(line.split("\\s+", -1)))
                        .map(words -> words.collect(Collectors.toSet()))
                        .orElse(Set.of()));
    }

    private static Optional<String> field(String cpuInfo, String name) {
        return cpuInfo.lines()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst();
    }

    /**
     * Whether products of bytes are summed in 32 bits: without, x86 sums pairs in 16 bits, which
     * overflow with 8-bit weights.
     */
    public boolean hasVnni() {
        return flags.contains("avx512_vnni") || flags.contains("avx_vnni");
    }

    /** Whether it is known to lack VNNI: an x86 that names its flags. */
    public boolean lacksVnni() {
        return flags.contains("sse2") && !hasVnni();
    }

    /** The widest vector instructions for INT8, for reports. */
    public String int8Instructions() {
        for (String flag : new String[] {"amx_int8", "avx512_vnni", "avx_vnni", "avx2"}) {
            if (flags.contains(flag)) {
                return flag;
            }
        }
        return flags.isEmpty() ? "unknown" : "none";
    }
}
