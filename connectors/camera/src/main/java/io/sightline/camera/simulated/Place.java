// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

/** What kind of place a camera looks at. */
public enum Place {
    STREET,
    HALL
}
