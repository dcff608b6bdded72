// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

/**
 * Something that arrived and was not handed on yet. Elements leave in the order of their arrival.
 */
interface PendingElement {

    /** Whether it can be handed on. */
    boolean done();

    /**
     * Hands it on; called once, by the task's thread, when it is done and everything before it has
     * left.
     */
    void emit() throws Exception;
}
