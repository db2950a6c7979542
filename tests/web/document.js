/**
 * A small stand-in for the browser's document: elements with attributes, children and text, found
 * by id or by one attribute. It lays nothing out and parses nothing; tests/browser has the real thing.
 */

class FakeElement {
  constructor(tag) {
    this.tagName = tag.toUpperCase();
    this.attributes = new Map();
    this.children = [];
    this.listeners = new Map();
    this.style = { setProperty: (name, value) => (this.style[name] = value) };
    this.hidden = false;
    this.value = "";
  }

  get id() {
    return this.getAttribute("id") ?? "";
  }

  setAttribute(name, value) {
    this.attributes.set(name, String(value));
    if (name === "value") this.value = String(value);
  }

  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }

  prepend(...children) {
    this.children.unshift(...children);
  }

  removeAttribute(name) {
    this.attributes.delete(name);
  }

  append(...children) {
    for (const child of children) {
      if (child instanceof FakeElement) child.parent = this;
      this.children.push(child);
    }
  }

  after(sibling) {
    sibling.parent = this.parent;
    this.parent.children.splice(this.parent.children.indexOf(this) + 1, 0, sibling);
  }

  remove() {
    this.parent.children.splice(this.parent.children.indexOf(this), 1);
  }

  replaceChildren(...children) {
    this.children = [];
    this.append(...children);
  }

  get textContent() {
    return this.children.map((child) => child.textContent ?? child).join("");
  }

  set textContent(text) {
    this.replaceChildren(...(text ? [text] : []));
  }

  addEventListener(event, listener) {
    this.listeners.set(event, listener);
  }

  click() {
    return this.listeners.get("click")();
  }

  focus() {
    document.activeElement = this;
  }

  get descendants() {
    const elements = this.children.filter((child) => child instanceof FakeElement);
    return elements.flatMap((child) => [child, ...child.descendants]);
  }

  /** Knows `tag`, `[attribute]` and `[attribute]:not([hidden])`. */
  querySelectorAll(selector) {
    const parts = /^(\w*)(?:\[([\w-]+)\])?(:not\(\[hidden\]\))?$/.exec(selector);
    const [, tag, attribute, visible] = parts;
    return this.descendants.filter(
      (element) =>
        (!tag || element.tagName === tag.toUpperCase()) &&
        (!attribute || element.attributes.has(attribute)) &&
        (!visible || !element.hidden),
    );
  }

  querySelector(selector) {
    return this.querySelectorAll(selector)[0] ?? null;
  }
}

const root = new FakeElement("html");

globalThis.HTMLElement = FakeElement;
for (const name of ["Input", "Image", "Anchor", "TextArea", "Dialog"]) {
  globalThis[`HTML${name}Element`] = FakeElement;
}
globalThis.document = {
  activeElement: null,
  documentElement: root,
  createElement: (tag) => new FakeElement(tag),
  getElementById: (id) => root.descendants.find((element) => element.id === id) ?? null,
  querySelectorAll: (selector) => root.querySelectorAll(selector),
  querySelector: (selector) => root.querySelector(selector),
};

/** Makes an element of the page: `put("p", { id: "notice" })`. */
export function put(tag, attributes = {}, ...children) {
  const created = new FakeElement(tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  created.append(...children);
  root.append(created);
  return created;
}

/** Empties the page. */
export function emptyPage() {
  root.replaceChildren();
  document.activeElement = null;
}
