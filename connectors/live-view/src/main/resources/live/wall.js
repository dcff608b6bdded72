// SPDX-License-Identifier: Apache-2.0
import { CameraTile } from './camera-tile.js';
import { naturally } from './format.js';

const ASPECT = 16 / 9;
const GAP = 8;
const LEAST_WIDTH = 170;
const PHONE_WIDTH = 600;

/** Height of a tile besides its picture: with its plot and counts, and with its name alone. */
const FULL_EXTRA = 68;
const COMPACT_EXTRA = 27;
const COMPACT_BELOW = 250;

/** All cameras side by side, as large as the screen lets them be. */
export class Wall {
  #node;
  #viewState;
  #listener;
  #tiles = new Map();
  #inView = new Set();
  #focused = null;
  #watching;

  /**
   * @param listener that of the tiles' pictures, and visibilityChanged() when other tiles are on
   *     the screen
   */
  constructor(node, viewState, listener) {
    this.#node = node;
    this.#viewState = viewState;
    this.#listener = listener;
    this.#watching = new IntersectionObserver((entries) => this.#seen(entries), {
      rootMargin: '80px',
    });
    new ResizeObserver(() => this.layOut()).observe(node.parentElement);
    node.addEventListener('keydown', (event) => this.#move(event));
    node.addEventListener('focusin', ({ target }) => this.#focus(target.closest('.tile')));
  }

  tile(id) {
    return this.#tiles.get(id);
  }

  get tiles() {
    return [...this.#tiles.values()];
  }

  /** Ids of the cameras whose tiles are on the screen. */
  get inView() {
    return [...this.#inView].filter((id) => this.#tiles.has(id)).sort(naturally);
  }

  add(camera) {
    const tile = new CameraTile(camera, this.#viewState, this.#listener);
    this.#tiles.set(camera.id, tile);
    const next = this.tiles
      .map(({ node }) => node)
      .filter((node) => node !== tile.node && naturally(node.dataset.camera, camera.id) > 0)
      .sort((a, b) => naturally(a.dataset.camera, b.dataset.camera))[0];
    this.#node.insertBefore(tile.node, next ?? null);
    this.#watching.observe(tile.node);
    this.#focus(this.#focused ?? tile.node);
    this.layOut();
  }

  remove(id) {
    const tile = this.#tiles.get(id);
    this.#tiles.delete(id);
    this.#inView.delete(id);
    this.#watching.unobserve(tile.node);
    tile.close();
    if (this.#focused === tile.node) {
      this.#focused = null;
      this.#focus(this.#node.firstElementChild);
    }
    this.layOut();
  }

  focus(id) {
    (this.#tiles.get(id)?.node ?? this.#focused)?.focus();
  }

  /** The columns that give the largest tiles; where they would be too small, the wall scrolls. */
  layOut() {
    const { clientWidth: width, clientHeight: height } = this.#node.parentElement;
    const number = this.#tiles.size;
    if (number === 0 || width === 0) {
      return;
    }
    let { columns, tile } = best(number, width, height, FULL_EXTRA);
    let compact = false;
    if (tile < COMPACT_BELOW) {
      ({ columns, tile } = best(number, width, height, COMPACT_EXTRA));
      compact = true;
    }
    if (width < PHONE_WIDTH) {
      columns = number <= 4 ? 1 : 2;
      tile = (width - GAP * (columns - 1)) / columns;
      compact = columns > 1;
    } else if (tile < LEAST_WIDTH) {
      columns = Math.floor((width + GAP) / (LEAST_WIDTH + GAP));
      tile = (width - GAP * (columns - 1)) / columns;
    }
    this.#node.style.gridTemplateColumns = `repeat(${columns}, ${Math.floor(tile)}px)`;
    this.#node.classList.toggle('compact', compact);
    this.#columns = columns;
  }

  #columns = 1;

  #seen(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) {
        this.#inView.add(target.dataset.camera);
      } else {
        this.#inView.delete(target.dataset.camera);
      }
    }
    this.#listener.visibilityChanged();
  }

  /** One tile is in the order of Tab; the arrow keys move among the others. */
  #focus(node) {
    if (node) {
      this.#focused?.setAttribute('tabindex', '-1');
      node.setAttribute('tabindex', '0');
      this.#focused = node;
    }
  }

  #move(event) {
    const nodes = [...this.#node.children];
    const from = nodes.indexOf(document.activeElement);
    const to = {
      ArrowLeft: from - 1,
      ArrowRight: from + 1,
      ArrowUp: from - this.#columns,
      ArrowDown: from + this.#columns,
      Home: 0,
      End: nodes.length - 1,
    }[event.key];
    if (from >= 0 && to !== undefined && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      nodes[to]?.focus();
    }
  }
}

function best(number, width, height, extra) {
  let found = { columns: 1, tile: 0 };
  for (let columns = 1; columns <= number; columns++) {
    const rows = Math.ceil(number / columns);
    const byWidth = (width - GAP * (columns - 1)) / columns;
    const byHeight = ((height - GAP * (rows - 1)) / rows - extra) * ASPECT;
    const tile = Math.min(byWidth, byHeight);
    if (tile > found.tile) {
      found = { columns, tile };
    }
  }
  return found;
}
