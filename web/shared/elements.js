/**
 * Making and finding elements, without ever parsing a string as HTML.
 */

/** The element of that id; a page that lacks it is broken, so that is an error. */
export function part(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no part "${id}"`);
  return found;
}

/** Makes an element from its attributes and children; strings become text. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * Points `anchor` at an address that came from outside, if it is a web address; hides it otherwise.
 */
export function pointTo(anchor, address) {
  anchor.hidden = !/^https?:\/\//i.test(address ?? "");
  if (!anchor.hidden) anchor.href = address;
}

/**
 * Runs `work` when the form is sent, never twice at once. The form never leaves the page by itself,
 * and its button keeps the focus while it waits.
 */
export function onSend(form, work) {
  const button = form.querySelector("button[type=submit]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await once(button, work);
  });
}

/** Runs `work` when the button is pressed, never twice at once. */
export function onPress(button, work) {
  button.addEventListener("click", () => once(button, work));
}

async function once(button, work) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    await work();
  } finally {
    button.removeAttribute("aria-disabled");
  }
}
