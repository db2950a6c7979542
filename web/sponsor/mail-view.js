/**
 * Draws the HTML of a mail on the page: its layout, its colours and its words, and nothing that acts.
 *
 * No frame, which the policy for all pages would have to allow, and with it inline styles. The HTML
 * is parsed into a document that is never shown; of that, elements of a layout are made again, with
 * the styles set one by one. Links lead nowhere, and a picture is one of the campaign's or none.
 * The mail's own rules for small and for dark screens hold for it as in a mail program.
 */

const TAGS = new Set(
  "a b br div em h1 h2 img li ol p span strong table tbody td th tr ul".split(" "),
);
const ATTRIBUTES = "align alt bgcolor cellpadding cellspacing class colspan dir height"
  .concat(" lang role scope valign width")
  .split(" ");
const COMMENTS = /<!--[\s\S]*?-->/g; // Outlook's part is in some.
const STYLES = /<style>([\s\S]*?)<\/style>/g;

/**
 * Draws the mail in `host`, whose styles are its own.
 *
 * @param {HTMLElement} host
 * @param {string} html
 */
export function drawMail(host, html) {
  const shown = html.replace(COMMENTS, "");
  // A style in a parsed document would be reported as one that the policy forbids.
  const bare = shown.replace(STYLES, "").replaceAll(' style="', ' data-style="');
  const { body } = new DOMParser().parseFromString(bare, "text/html");
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  root.replaceChildren(...childrenOf(body));
  if (!("adoptedStyleSheets" in root)) return; // Safari before 16.4: as on a light, wide screen.
  const rules = new CSSStyleSheet();
  rules.replaceSync(Array.from(shown.matchAll(STYLES), ([, written]) => written).join("\n"));
  root.adoptedStyleSheets = [rules];
}

/**
 * @param {Element} source
 * @returns {(Element | string)[]}
 */
function childrenOf(source) {
  return Array.from(source.childNodes, (node) => {
    if (node instanceof Element) return TAGS.has(node.localName) ? [copyOf(node)] : [];
    return node instanceof Text ? [node.data] : [];
  }).flat();
}

/** @param {Element} source */
function copyOf(source) {
  // A heading of the mail is none of the page.
  const copy = document.createElement(source.localName.replace(/^h\d$/, "p"));
  for (const name of ATTRIBUTES) {
    const value = source.getAttribute(name);
    if (value !== null) copy.setAttribute(name, value);
  }
  copy.style.cssText = source.getAttribute("data-style") ?? "";
  const picture = source.getAttribute("src") ?? "";
  if (copy instanceof HTMLImageElement && /^\/pictures\//.test(picture)) copy.src = picture;
  copy.append(...childrenOf(source));
  return copy;
}
