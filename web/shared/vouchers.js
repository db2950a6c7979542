/**
 * A holder's vouchers as tickets: the sponsor's, or the referee's.
 *
 * The page has a list `vouchers`, a text `no-vouchers`, a notice `vouchers-notice` and the dialog
 * of frame/till.html, which shows one code to a till on the whole screen.
 */

import { createTicket } from "./benefits.js";
import { copyText } from "./clipboard.js";
import { byId, createElement, onClick, setLink } from "./elements.js";
import { formatDay, formatMoney } from "./format.js";
import { campaignText } from "./language.js";
import { setText, setValue } from "./page-text.js";
import { walletButtons } from "./wallets.js";

/** @typedef {import("./language.js").TextKey} TextKey */

const DAY_MS = 86_400_000;
/** From so many days before the end on, how many are left is said. */
const SOON_DAYS = 14;

/**
 * Lists the vouchers; a code is shown as soon as it can be used.
 *
 * @param {SponsorVoucher[]} vouchers
 * @param {CampaignAnswer | null} campaign
 * @param {import("./wallets.js").AskForPass} ask
 */
export function showVouchers(vouchers, campaign, ask) {
  byId("no-vouchers").hidden = vouchers.length > 0;
  byId("vouchers").replaceChildren(...vouchers.map((voucher) => entry(voucher, campaign, ask)));
}

/**
 * @param {SponsorVoucher} voucher
 * @param {CampaignAnswer | null} campaign
 * @param {import("./wallets.js").AskForPass} ask
 */
function entry(voucher, campaign, ask) {
  const { state, code, template } = voucher;
  const parts = [stateBadge(state, `vouchers.${state}`), lastDay(voucher, campaign?.time_zone)];
  const use = campaign?.use?.[template] ?? null;
  if (state === "preparing") parts.push(setText(createElement("p"), "vouchers.on-its-way"));
  if (code) {
    const { bar_code_svg: svg } = voucher;
    if (svg) parts.push(createElement("img", { class: "bar-code", alt: "", src: svgAddress(svg) }));
    parts.push(createElement("p", { class: "code" }, code));
    if (use && Object.keys(use.how).length) {
      parts.push(setValue(createElement("p"), () => campaignText(use.how)));
    }
    parts.push(actions(voucher, code, use, campaign), ...walletButtons(voucher, ask));
  }
  const ticket = createTicket(voucher, ...parts);
  return createElement("li", { class: state }, ticket);
}

/**
 * @param {SponsorVoucher} voucher
 * @param {string} [timeZone] the campaign's
 */
function lastDay({ valid_until: validUntil, state }, timeZone) {
  const line = createElement("p", { class: "muted" });
  const left = Math.ceil((Date.parse(`${validUntil}T23:59:59Z`) - Date.now()) / DAY_MS);
  const isSoon = state === "available" && left > 0 && left <= SOON_DAYS;
  return setText(line, isSoon ? "vouchers.days-left" : "vouchers.valid-until", {
    day: () => formatDay(validUntil, timeZone),
    count: left,
  });
}

/**
 * @param {SponsorVoucher} voucher
 * @param {string} code
 * @param {UseAnswer | null} use
 * @param {CampaignAnswer | null} campaign
 */
function actions(voucher, code, use, campaign) {
  const copy = setText(createElement("button", { type: "button" }), "vouchers.copy-code");
  onClick(copy, () => copyText(code, byId("vouchers-notice")));
  const print = setText(createElement("button", { type: "button" }), "vouchers.print");
  onClick(print, () => printTicket(print));
  const line = createElement("p", { class: "actions" }, copy, print);
  if (use?.shop) {
    const till = setText(createElement("button", { type: "button" }), "vouchers.till");
    onClick(till, () => showAtTill(voucher, code));
    line.prepend(till);
  }
  const shop = use?.online ?? campaign?.brand.shop_url;
  if (shop) {
    const link = createElement("a", { class: "button", rel: "noopener noreferrer" });
    setLink(link, shop);
    line.append(setText(link, "page.shop"));
  }
  return line;
}

/**
 * The code for the till on the whole screen, black on white.
 *
 * @param {SponsorVoucher} voucher
 * @param {string} code
 */
function showAtTill({ value, currency, bar_code_svg: svg }, code) {
  setText(byId("till-title"), "vouchers.value", { value: () => formatMoney(value, currency) });
  const picture = byId("till-code", HTMLImageElement);
  picture.hidden = !svg;
  picture.alt = code;
  if (svg) picture.src = svgAddress(svg);
  byId("till-text").textContent = code;
  byId("till", HTMLDialogElement).showModal();
}

/**
 * The address of an inline SVG as a picture: a document of its own, which has to name its namespace.
 *
 * @param {string} svg
 */
export function svgAddress(svg) {
  const named = svg.includes("xmlns=")
    ? svg
    : svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(named)}`;
}

/** @param {HTMLElement} button in the ticket to print */
function printTicket(button) {
  const ticket = button.closest("li");
  ticket?.classList.add("printed");
  addEventListener("afterprint", () => ticket?.classList.remove("printed"), { once: true });
  print();
}

/**
 * @param {string} state also the class that colours the badge
 * @param {TextKey} key
 */
export function stateBadge(state, key) {
  return setText(createElement("span", { class: `badge ${state}` }), key);
}
