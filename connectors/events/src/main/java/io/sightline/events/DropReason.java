// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

import java.util.Locale;

/** Why a frame was given up unanalysed, under overload. The names are part of the contract. */
public enum DropReason {
    /** A newer frame of its camera came while it waited. */
    SUPERSEDED,
    /** It was captured longer ago than the limit. */
    TOO_OLD,
    /** There was no place for it, and it, or the line it stood in, had the least right to one. */
    ROOM_FULL;

    private final String label = name().toLowerCase(Locale.ROOT).replace('_', '-');

    /** As status records and metrics name it: {@code too-old}. */
    public String label() {
        return label;
    }
}
