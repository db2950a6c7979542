/**
 * Finding and creating elements, and their events. No string is ever parsed as HTML.
 */

/**
 * The element with that id, of the given class if there is one. A page that lacks it is broken, so
 * that is an error.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [type]
 * @returns {T}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element "${id}"`);
  if (type && !(found instanceof type)) throw new Error(`"${id}" is not an ${type.name}`);
  return /** @type {T} */ (found);
}

/**
 * The first descendant of `root` that matches `selector`, of the given class if there is one.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {HTMLElement} root
 * @param {string} selector
 * @returns {T}
 */
export function within(root, selector) {
  const found = root.querySelector(selector);
  if (!found) throw new Error(`"${root.id}" has no element "${selector}"`);
  return /** @type {T} */ (found);
}

/**
 * Creates an element with attributes and children; strings become text.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function createElement(tag, attributes = {}, ...children) {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  created.append(...children);
  return created;
}

/**
 * Links `anchor` to a URL that came from outside if it is a web address; hides `anchor` otherwise.
 *
 * @param {HTMLAnchorElement} anchor
 * @param {string | undefined} url
 */
export function setLink(anchor, url) {
  const isWebAddress = url !== undefined && /^https?:\/\//i.test(url);
  anchor.hidden = !isWebAddress;
  if (isWebAddress) anchor.href = url;
}

/**
 * Calls `handler` when the form is submitted, never twice at once. The browser never submits the
 * form itself, and the submit button keeps the focus while the handler runs.
 *
 * @param {HTMLFormElement} form
 * @param {() => unknown} handler
 */
export function onSubmit(form, handler) {
  /** @type {HTMLButtonElement} */
  const button = within(form, "button[type=submit]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await runUnlessBusy(button, handler);
  });
}

/**
 * Calls `handler` when the button is clicked, never twice at once.
 *
 * @param {HTMLElement} button
 * @param {() => unknown} handler
 */
export function onClick(button, handler) {
  button.addEventListener("click", () => runUnlessBusy(button, handler));
}

/**
 * @param {HTMLElement} button
 * @param {() => unknown} handler
 */
async function runUnlessBusy(button, handler) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    await handler();
  } finally {
    button.removeAttribute("aria-disabled");
  }
}
