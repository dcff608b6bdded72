// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

/** Nothing that C++ gave is forgotten, and nothing is given back twice. */
class HandlesTest {

    @Test
    void shouldCloseInTheReverseOrderWhateverFails() {
        List<String> closed = new ArrayList<>();
        Handles handles = new Handles();
        handles.own(() -> closed.add("first"));
        handles.own(
                () -> {
                    throw new IllegalStateException("as the driver may");
                });
        handles.own(() -> closed.add("last"));
        handles.close();
        handles.close();
        assertThat(closed).containsExactly("last", "first");
    }

    /** As TensorRT's objects come: with an address, and with no way of being deleted. */
    private static final class Foreign extends LongPointer {
        Foreign(long longs) {
            super(Pointer.malloc(Long.BYTES * longs));
        }

        boolean isDeletable() {
            return deallocator() != null;
        }
    }

    @Test
    void shouldDeleteWhatTheBindingsCannot() {
        long longs = 8L << 20;
        long before = Pointer.physicalBytes();
        for (int i = 0; i < 40; i++) {
            Foreign object = new Foreign(longs);
            for (long page = 0; page < longs; page += 512) {
                object.put(page, page);
            }
            assertThat(object.isDeletable()).isFalse();
            Owned<LongPointer> owned = Owned.of(object, () -> new LongPointer(1), "test");
            assertThat(owned.get()).isSameAs(object);
            assertThat(object.isDeletable()).isTrue();
            owned.close();
            assertThat(object.isNull()).isTrue();
            owned.close();
        }
        // Each holds 64 MiB: forgotten they would be 2.5 GiB.
        assertThat(Pointer.physicalBytes() - before).isLessThan(512L << 20);
    }
}
