// SPDX-License-Identifier: Apache-2.0

const KEY = 'sightline-theme';

/** What the user chose with the button; else what the system asks for, which style.css follows. */
export function startTheme() {
  const chosen = stored();
  if (chosen === 'light' || chosen === 'dark') {
    document.documentElement.dataset.theme = chosen;
  }
}

export function toggleTheme() {
  const root = document.documentElement;
  const dark =
    (root.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) ===
    'dark';
  root.dataset.theme = dark ? 'light' : 'dark';
  try {
    localStorage.setItem(KEY, root.dataset.theme);
  } catch {
    // a browser that stores nothing forgets the choice
  }
}

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
