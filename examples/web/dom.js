/** Elements, made and found. Text is always set as text, so nothing that a server sends becomes markup. */

/** Makes an element: its class, and children that are elements or text. */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) {
    element.className = className;
  }
  element.append(...children);
  return element;
}

/** The element with that id. */
export function find(id) {
  return document.getElementById(id);
}

/** Milliseconds as seconds, for people. */
export function seconds(ms) {
  return `${(ms / 1000).toFixed(2)} s`;
}
