// SPDX-License-Identifier: Apache-2.0
import { classColour, inClassOrder } from './classes.js';
import { byId, element, setText } from './dom.js';

/** Which classes are shown and from which confidence; each class says how many are in view now. */
export class FilterBar {
  #viewState;
  #chips = new Map();
  #all;
  #node = byId('chips');

  constructor(viewState) {
    this.#viewState = viewState;
    this.#all = element(
      'button',
      { type: 'button', class: 'chip', click: () => viewState.showAllClasses() },
      'All',
    );
    this.#node.append(this.#all);
    const slider = byId('confidence');
    slider.addEventListener('input', () => viewState.setMinConfidence(Number(slider.value)));
    this.show();
  }

  /** @param counts Map of label to the number of objects in view */
  update(counts) {
    for (const label of counts.keys()) {
      this.#chip(label);
    }
    for (const [label, { number, swatch }] of this.#chips) {
      setText(number, String(counts.get(label) ?? 0));
      swatch.style.background = classColour(label); // known from the first event on
    }
  }

  /** The filter as it is now. */
  show() {
    const { classes, minConfidence } = this.#viewState;
    classes.forEach((label) => this.#chip(label));
    this.#all.setAttribute('aria-pressed', String(classes.size === 0));
    for (const [label, { node }] of this.#chips) {
      node.setAttribute('aria-pressed', String(classes.has(label)));
    }
    byId('confidence').value = minConfidence;
    setText(byId('confidence-value'), minConfidence.toFixed(2));
  }

  #chip(label) {
    if (this.#chips.has(label)) {
      return;
    }
    const swatch = element('i', { class: 'swatch' });
    const number = element('b', {}, '0');
    const node = element(
      'button',
      {
        type: 'button',
        class: 'chip',
        'aria-pressed': String(this.#viewState.classes.has(label)),
        click: () => this.#viewState.toggleClass(label),
      },
      swatch,
      element('span', { class: 'label' }, label),
      number,
    );
    node.dataset.label = label;
    this.#chips.set(label, { node, number, swatch });
    const order = [...this.#chips.keys()].sort(inClassOrder);
    this.#node.append(...order.map((each) => this.#chips.get(each).node));
  }
}
