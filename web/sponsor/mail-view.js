/**
 * Draws the HTML of a mail on the page: its layout, its colours and its words, and nothing that acts.
 *
 * No frame, which the policy for all pages would have to allow, and with it inline styles. The HTML
 * is parsed into a document that is never shown; of that, elements of a layout are made again, with
 * the styles set one by one. Links lead nowhere, and a picture is one of the campaign's or none.
 */

const TAGS = new Set("a b br div em h1 h2 img li ol p span strong table tbody td tr ul".split(" "));
const ATTRIBUTES = ["align", "alt", "bgcolor", "colspan", "dir", "height", "lang", "role"].concat([
  "valign",
  "width",
  "cellpadding",
  "cellspacing",
]);

/**
 * Draws the mail in `host`, whose styles are its own.
 *
 * @param {HTMLElement} host
 * @param {string} html
 */
export function drawMail(host, html) {
  // A style in a parsed document would be reported as one that the policy forbids.
  const bare = html
    .replace(/<style>[\s\S]*?<\/style>/g, "")
    .replaceAll(' style="', ' data-style="');
  const { body } = new DOMParser().parseFromString(bare, "text/html");
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  root.replaceChildren(...childrenOf(body));
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
