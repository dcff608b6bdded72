// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import java.util.Arrays;

/** A growing list of scored boxes, reused from frame to frame. */
final class Candidates {

    private static final int INITIAL_CAPACITY = 1024;

    float[] x1 = new float[INITIAL_CAPACITY];
    float[] y1 = new float[INITIAL_CAPACITY];
    float[] x2 = new float[INITIAL_CAPACITY];
    float[] y2 = new float[INITIAL_CAPACITY];
    float[] score = new float[INITIAL_CAPACITY];
    int[] classId = new int[INITIAL_CAPACITY];
    int size;

    void clear() {
        size = 0;
    }

    /**
     * @param score finite, not negative
     */
    void add(float x1, float y1, float x2, float y2, float score, int classId) {
        if (size == this.score.length) {
            int capacity = 2 * size;
            this.x1 = Arrays.copyOf(this.x1, capacity);
            this.y1 = Arrays.copyOf(this.y1, capacity);
            this.x2 = Arrays.copyOf(this.x2, capacity);
            this.y2 = Arrays.copyOf(this.y2, capacity);
            this.score = Arrays.copyOf(this.score, capacity);
            this.classId = Arrays.copyOf(this.classId, capacity);
        }
        this.x1[size] = x1;
        this.y1[size] = y1;
        this.x2[size] = x2;
        this.y2[size] = y2;
        this.score[size] = score;
        this.classId[size] = classId;
        size++;
    }
}
