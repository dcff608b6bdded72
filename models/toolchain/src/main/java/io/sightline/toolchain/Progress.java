// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain;

/** Hears how far a long piece of work has come. */
@FunctionalInterface
public interface Progress {

    /** For work that nobody watches. */
    Progress SILENT = (what, done, total) -> {};

    /**
     * One more step is done.
     *
     * @param what the work, in a few words
     * @param done steps done so far
     * @param total steps in all
     */
    void step(String what, int done, int total);
}
