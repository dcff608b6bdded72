// SPDX-License-Identifier: Apache-2.0

const START_OF_SCAN = 0xda;
const APPLICATION_1 = 0xe1;
const EXIF = [0x45, 0x78, 0x69, 0x66];

/**
 * A JPEG whose pixels are shown as they are stored: browsers turn a picture as its EXIF block asks,
 * but boxes know nothing of that. The block is made unreadable, in place.
 *
 * @param bytes Uint8Array of any picture
 * @returns a Blob of it
 */
export function asStored(bytes, contentType) {
  for (const { marker, at } of jpegSegments(bytes)) {
    if (marker === APPLICATION_1 && EXIF.every((byte, i) => bytes[at + 4 + i] === byte)) {
      bytes[at + 4] = 0;
    }
  }
  return new Blob([bytes], { type: contentType });
}

/** Segments before the pixels; none where it is no JPEG. */
function* jpegSegments(bytes) {
  let at = bytes[0] === 0xff && bytes[1] === 0xd8 ? 2 : bytes.length;
  while (at + 8 <= bytes.length && bytes[at] === 0xff && bytes[at + 1] !== START_OF_SCAN) {
    yield { marker: bytes[at + 1], at };
    at += 2 + bytes[at + 2] * 256 + bytes[at + 3];
  }
}
