// SPDX-License-Identifier: Apache-2.0
import { Changes } from './changes.js';
import { classColour } from './classes.js';
import { byId, element, setText } from './dom.js';
import { clock, count, preciseClock } from './format.js';
import { acceptedObjects } from './picture.js';

const MOST_ROWS = 200;

/** Dead letters of one camera that follow each other so closely share a row. */
const ONE_ROW_MS = 10_000;

/** The latest of what happened: what cameras see changes, dead letters, silence, a lost server. */
export class EventList {
  #viewState;
  #open;
  #changes = new Map();
  #rows = [];
  #list = byId('events');
  #camera = null;

  /** @param open called with camera id and frame key where the user wants to see that moment */
  constructor(viewState, open) {
    this.#viewState = viewState;
    this.#open = open;
    this.#show();
  }

  /** Counts start anew: what the filter lets through is another. */
  filterChanged() {
    this.#changes.clear();
    this.#show();
  }

  /** What is known of a camera that is no more; its rows stay. */
  forget(camera) {
    this.#changes.delete(camera);
  }

  /** @param now by the server's clock: it tells how long a moment is kept, whatever the camera's says */
  observe(header, now) {
    if (!header.event) {
      return;
    }
    let changes = this.#changes.get(header.camera);
    if (changes === undefined) {
      changes = new Changes();
      this.#changes.set(header.camera, changes);
    }
    for (const change of changes.observe(header, acceptedObjects(header, this.#viewState))) {
      this.#add({
        kind: 'seen',
        camera: header.camera,
        time: change.header.capture_time_ms,
        came: now,
        key: change.header.key,
        label: change.label,
        parts: changeParts(change),
      });
    }
  }

  /**
   * @param letter a `dead_letter` message; its camera is null where the record did not say
   * @param now as of observe
   */
  deadLetter({ camera, capture_time_ms, stage, reason, message, key }, now) {
    const time = capture_time_ms ?? now;
    const text = `${stage}: ${message || reason}`;
    const last = this.#rows.find((row) => row.camera === camera);
    if (last?.kind === 'bad' && last.text === text && now - last.came < ONE_ROW_MS) {
      Object.assign(last, { time, came: now, key, times: last.times + 1 });
      setText(last.clock, clock(time));
      setText(last.repeated, `×${count(last.times)}`);
      return;
    }
    this.#add({ kind: 'bad', camera, time, came: now, key, text, times: 1, parts: ['dead letter, ', text] });
  }

  /** A camera or the server itself: state is 'warn' or 'good'. */
  note(kind, camera, text, time) {
    this.#add({ kind, camera, time, key: null, parts: [text] });
  }

  /** Rows of moments that the server no longer has are marked. */
  age(oldestKept) {
    for (const row of this.#rows) {
      row.node.classList.toggle('past', row.key === null || row.came < oldestKept(row.camera));
    }
  }

  #add(row) {
    row.clock = element('time', { title: preciseClock(row.time) }, clock(row.time));
    row.repeated = element('b', { class: 'times' });
    const what = element('span', { class: 'what' });
    if (row.label !== undefined) {
      const swatch = element('i', { class: 'swatch' });
      swatch.style.background = classColour(row.label);
      what.append(swatch);
    }
    what.append(...row.parts);
    const button = element(
      'button',
      { type: 'button', click: () => this.#clicked(row) },
      row.clock,
      element('span', { class: 'where', title: row.camera ?? '' }, row.camera ?? '–'),
      what,
      row.repeated,
    );
    row.node = element('li', { class: row.kind }, button);
    this.#rows.unshift(row);
    this.#list.prepend(row.node);
    row.node.hidden = !this.#wanted(row);
    if (this.#rows.length > MOST_ROWS) {
      this.#rows.pop().node.remove();
    }
    byId('no-events').hidden = true;
  }

  #clicked(row) {
    if (row.camera !== null) {
      this.#open(row.camera, row.key);
    }
  }

  #wanted(row) {
    return (
      (this.#camera === null || row.camera === null || row.camera === this.#camera) &&
      (row.label === undefined || this.#viewState.acceptsLabel(row.label))
    );
  }

  #show() {
    this.#camera = this.#viewState.camera;
    this.#rows.forEach((row) => (row.node.hidden = !this.#wanted(row)));
    setText(byId('events-note'), this.#camera === null ? '' : 'of this camera');
  }
}

function changeParts({ label, from, to }) {
  const arrow = to > from ? '↑' : '↓';
  return [
    element('span', { class: 'label' }, label),
    element('span', { class: 'step' }, `${from} ${arrow} ${to}`),
  ];
}
