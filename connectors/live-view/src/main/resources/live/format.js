// SPDX-License-Identifier: Apache-2.0

const CLOCK = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** Times come from outside; there is no date beyond this one. */
const LAST_DATE_MS = 8.64e15;

const asDate = (ms) => Math.max(-LAST_DATE_MS, Math.min(LAST_DATE_MS, ms));

const COUNT = new Intl.NumberFormat('en-US');

/** 14:03:12, local time. */
export const clock = (ms) => CLOCK.format(asDate(ms));

/** 14:03:12.345, local time. */
export const preciseClock = (ms) =>
  `${clock(ms)}.${String(Math.floor(ms) % 1000).padStart(3, '0')}`;

export const count = (value) => COUNT.format(value ?? 0);

/** 62%; neither 0% nor 100% where that is not quite so, a dash where there is no whole. */
export function share(part, whole) {
  if (whole === 0) {
    return '–';
  }
  const percent = Math.floor((100 * part) / whole);
  return `${part > 0 ? Math.max(1, percent) : percent}%`;
}

/** 38 ms, 2.4 s; a dash where nothing was measured. */
export function milliseconds(value) {
  if (value === null || value === undefined || Number.isNaN(value)) {
    return '–';
  }
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
}

/** 12 s, 3 min 05 s, 2 h 10 min. */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) {
    return `${seconds} s`;
  }
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`
    : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** Sorts cam-2 before cam-10. */
export const naturally = new Intl.Collator('en', { numeric: true }).compare;
