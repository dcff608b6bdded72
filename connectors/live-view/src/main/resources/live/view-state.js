// SPDX-License-Identifier: Apache-2.0

/**
 * What is looked at: which camera is large, which classes and from which confidence. It lives in
 * the address, so that a view can be shared and the browser's Back works.
 */
export class ViewState extends EventTarget {
  camera = null;
  classes = new Set();
  minConfidence = 0;

  constructor() {
    super();
    this.#read();
    window.addEventListener('popstate', () => this.#follow());
    window.addEventListener('hashchange', () => this.#follow());
  }

  /** Whether an object passes the filter; no class chosen means all. */
  accepts(object) {
    return object.confidence >= this.minConfidence && this.acceptsLabel(object.label);
  }

  acceptsLabel(label) {
    return this.classes.size === 0 || this.classes.has(label);
  }

  openCamera(camera) {
    if (camera !== this.camera) {
      this.camera = camera;
      this.#write('pushState');
    }
  }

  toggleClass(label) {
    if (!this.classes.delete(label)) {
      this.classes.add(label);
    }
    this.#write('replaceState');
  }

  showAllClasses() {
    this.classes.clear();
    this.#write('replaceState');
  }

  setMinConfidence(value) {
    this.minConfidence = value;
    this.#write('replaceState');
  }

  #follow() {
    this.#read();
    this.dispatchEvent(new Event('change'));
  }

  #read() {
    const parameters = new URLSearchParams(location.hash.slice(1));
    this.camera = parameters.get('camera');
    this.classes = new Set(parameters.getAll('class'));
    const min = Number.parseFloat(parameters.get('confidence'));
    this.minConfidence = min >= 0 && min <= 1 ? min : 0;
  }

  #write(how) {
    const parameters = new URLSearchParams();
    if (this.camera !== null) {
      parameters.set('camera', this.camera);
    }
    for (const label of this.classes) {
      parameters.append('class', label);
    }
    if (this.minConfidence > 0) {
      parameters.set('confidence', this.minConfidence.toFixed(2));
    }
    history[how](null, '', `#${parameters}`);
    this.dispatchEvent(new Event('change'));
  }
}
