// SPDX-License-Identifier: Apache-2.0
import { classColour, countByLabel } from './classes.js';
import { element, setText } from './dom.js';
import { clock, count, duration, milliseconds, share } from './format.js';
import { acceptedObjects, Picture } from './picture.js';
import { drawStacked, seenLastMinute } from './plot.js';

const MOST_CLASSES = 4;

/** One camera of the wall: a button with its picture and its numbers. */
export class CameraTile {
  #viewState;
  #dot = element('i', { class: 'dot' });
  #bad = element('span', { class: 'badge bad', title: 'Dead letters: frames the job could not take' });
  #unshown = element('span', { class: 'badge', title: 'Frames this page did not get in time' });
  #analysed = element('b');
  #drops = element('span', { class: 'badge job', hidden: true }, element('span', {}, 'analysed '), this.#analysed);
  #rate = element('span', { class: 'rate', title: 'Frames a second' });
  #latency = element('span', { class: 'rate latency', title: 'Capture to event, p95 of the last minute' });
  #notice = element('span', { class: 'notice' });
  #frame = element('span', { class: 'frame' });
  #plot = element('canvas', { class: 'spark', 'aria-hidden': 'true' });
  #seen = element('span', { class: 'seen' });

  constructor(camera, viewState, listener) {
    this.camera = camera;
    this.#viewState = viewState;
    this.node = element(
      'button',
      { class: 'tile', type: 'button', tabindex: '-1', click: () => viewState.openCamera(camera.id) },
      element(
        'span',
        { class: 'head' },
        this.#dot,
        element('span', { class: 'name', title: camera.id }, camera.id),
        this.#drops,
        this.#bad,
        this.#unshown,
        this.#rate,
        this.#latency,
      ),
      this.#frame,
      this.#plot,
      this.#seen,
    );
    this.node.dataset.camera = camera.id;
    const shown = (frame, decodable) => this.#shown(frame, decodable);
    this.picture = new Picture(this.#frame, viewState, { ...listener, shown }, true);
    this.#frame.append(this.#notice);
  }

  close() {
    this.picture.close();
    this.node.remove();
  }

  #shown({ header }, decodable) {
    this.node.dataset.key = header.key;
    this.undecodable = decodable ? null : header;
    this.#writeSeen();
    this.#writeNotice();
  }

  /** Once a second, and when the filter changes. */
  update(now) {
    const { state } = this.camera;
    this.condition = this.camera.condition;
    this.node.dataset.condition = this.condition;
    this.now = now;
    setText(this.#rate, `${(state.frames_per_second ?? 0).toFixed(1)}/s`);
    setText(this.#latency, milliseconds(state.latency_ms?.p95));
    badge(this.#bad, state.dead_letters, 'dead');
    badge(this.#unshown, (state.dropped ?? 0) + (state.not_sent ?? 0), 'not shown');
    const drops = this.#writeDrops();
    const condition = conditionText(this.camera, this.condition, now);
    this.node.setAttribute('aria-label', `${this.camera.id}: ${condition}${drops && `, ${drops}`}`);
    this.#writeSeen();
    this.#writeNotice();
    if (this.#plot.clientWidth > 0) {
      const series = seenLastMinute(this.camera, this.#viewState, now);
      drawStacked(this.#plot, series, this.#plot.clientWidth, this.#plot.clientHeight);
    }
  }

  /** @returns what the job drops of the camera's frames, in words; empty where it drops none */
  #writeDrops() {
    const { jobDrops, state } = this.camera;
    this.#drops.hidden = !jobDrops;
    if (!jobDrops) {
      return '';
    }
    const text = dropsText(state.job);
    setText(this.#analysed, share(state.job.now.events, state.job.now.frames_in));
    this.#drops.title = text;
    return text;
  }

  #writeSeen() {
    const counts = countByLabel(
      this.camera.header ? acceptedObjects(this.camera.header, this.#viewState) : [],
    );
    const text = JSON.stringify([...counts]);
    if (text !== this.written) {
      this.written = text;
      this.#seen.replaceChildren(
        ...[...counts].slice(0, MOST_CLASSES).map(([label, n]) => countOf(label, n)),
        ...(counts.size > MOST_CLASSES ? [`+${counts.size - MOST_CLASSES}`] : []),
      );
    }
  }

  #writeNotice() {
    const text = noticeOf(this.camera, this.condition, this.now, this.undecodable);
    setText(this.#notice, text);
    this.#notice.hidden = text === '';
  }
}

function badge(node, value, word) {
  node.hidden = !value;
  setText(node, `${count(value)} ${word}`);
}

/** A class's swatch, name and number. */
export function countOf(label, number) {
  const swatch = element('i', { class: 'swatch' });
  swatch.style.background = classColour(label);
  return element('span', { class: 'count' }, swatch, element('span', {}, label), element('b', {}, String(number)));
}

/** What is wrong with a camera, to be read over its picture; empty where nothing is. */
export function noticeOf(camera, condition, now, undecodable) {
  if (condition !== 'live') {
    const letter = condition === 'failing' ? unansweredText(lastLetter(camera)) : '';
    return letter || conditionText(camera, condition, now);
  }
  const unanswered = unansweredText(camera.header);
  return unanswered || (undecodable ? `Cannot be shown: ${undecodable.content_type}` : '');
}

/** On a page just opened its newest frame alone has it. */
const lastLetter = ({ letter, header }) => (letter === null ? header : { dead_letter: letter });

/** What the job, by its last word, does to a camera of which it drops frames. */
export const dropsText = ({ now, heard_ms: heard }) =>
  `the job drops frames: at ${clock(heard)} it had analysed ${share(now.events, now.frames_in)}, ` +
  `dropped ${reasonsText(now.dropped)}`;

/** 118 superseded, 5 room full. */
export const reasonsText = (dropped) =>
  Object.entries(dropped)
    .map(([reason, frames]) => `${count(frames)} ${reasonText(reason)}`)
    .join(', ');

/** Why a frame has no event; empty where it has one, or nobody has said why. */
export function unansweredText(header) {
  if (header?.dead_letter) {
    const { stage, reason, message } = header.dead_letter;
    return `Dead letter, ${stage}: ${message || reason}`;
  }
  return header?.dropped && !header.event ? `Dropped by the job: ${reasonText(header.dropped)}` : '';
}

const reasonText = (reason) => reason.replaceAll('-', ' ');

export function conditionText(camera, condition, now) {
  const { last_frame_ms: last } = camera.state;
  switch (condition) {
    case 'silent':
      return last ? `Silent since ${clock(last)} (${duration(now - last)})` : 'Silent';
    case 'no-events':
      return noEventsText(camera);
    case 'failing':
      return 'Frames become dead letters';
    default:
      return 'live';
  }
}

function noEventsText({ state: { last_event_ms: lastEvent }, jobDrops }) {
  const since = lastEvent ? `No events since ${clock(lastEvent)}` : 'Frames, but no events';
  if (jobDrops) {
    return `${since}: the job drops its frames`;
  }
  return lastEvent ? since : `${since}: does the job run?`;
}
