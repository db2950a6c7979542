/**
 * The choices above the numbers: period, comparison, channel, voucher. They are in the address bar
 * (address.js), so back and forward work and a copied link opens the same view.
 *
 * What the counts do not tell apart is said where it is shown (`data-follows`), and not guessed.
 */

import { byId, createElement, onSubmit } from "../shared/elements.js";
import { formatShortDay } from "../shared/format.js";
import { getText } from "../shared/language.js";
import { clear, setText } from "../shared/page-text.js";
import { USUAL, isCounted, periodsOf, readChoice, writeChoice } from "./address.js";
import { rulesOf, templatesOf } from "./insights.js";

/** @typedef {import("../shared/language.js").TextKey} TextKey */
/** @typedef {import("./address.js").Choice} Choice */
/** @typedef {ReturnType<typeof periodsOf> & {choice: Choice, today: string}} View */

const PERIODS = /** @type {const} */ (["7", "30", "all"]);
const UNITS = /** @type {const} */ (["day", "week", "hour"]);
const FILTERS = /** @type {const} */ (["channel", "template", "rule"]);
const MEASURES = /** @type {const} */ (["confirmed", "sent", "invited", "steps"]);
/** @type {DashboardAnswer | null} */
let last = null;
let redraw = () => {};

/**
 * What is to be shown of an answer, by the address.
 *
 * @param {DashboardAnswer} answer
 * @returns {View}
 */
export function viewOf(answer) {
  const { choice } = readChoice(location.search, knownOf(answer));
  const today = new Intl.DateTimeFormat("en-CA", { timeZone: answer.time_zone }).format(
    new Date(answer.as_of),
  );
  return { choice, today, ...periodsOf(choice, today, answer.starts_on) };
}

/**
 * Shows in the controls what is chosen, and says what of the address could not be taken.
 *
 * @param {DashboardAnswer} answer
 */
export function showChoice(answer) {
  last = answer;
  const known = knownOf(answer);
  const { choice, wrong } = readChoice(location.search, known);
  for (const name of PERIODS) press(`period-${name}`, name === choice.period);
  for (const unit of UNITS) press(`unit-${unit}`, unit === choice.unit);
  for (const measure of MEASURES) {
    press(`measure-${measure}`, measure === choice.measure);
    byId(`measure-${measure}`, HTMLButtonElement).disabled = !isCounted(measure, choice.unit);
  }
  byId("from", HTMLInputElement).value = choice.from;
  byId("to", HTMLInputElement).value = choice.to;
  const compares = byId("compares", HTMLInputElement);
  compares.checked = choice.compares && choice.period !== "all";
  compares.disabled = choice.period === "all";
  byId("channel", HTMLSelectElement).value = choice.channel;
  offer("template", "choice.every-template", known.templates, choice.template);
  offer("rule", "choice.every-rule", known.rules, choice.rule);
  byId("choice-notice").textContent = wrong
    .map(({ name, value }) => getText("choice.wrong", { name, value: value.slice(0, 40) }))
    .join(" ");
  showDays(answer);
  for (const line of document.querySelectorAll("[data-follows]")) {
    const followed = line.getAttribute("data-follows")?.split(" ") ?? [];
    line.textContent = scopeOf(choice, followed);
    line.classList.toggle("dims", isLeftOut(choice, followed));
  }
}

/** @param {DashboardAnswer} answer */
function knownOf({ figures }) {
  return { templates: templatesOf(figures), rules: rulesOf(figures) };
}

/**
 * @param {string} id of a list to choose from
 * @param {TextKey} every
 * @param {string[]} names
 * @param {string} chosen
 */
function offer(id, every, names, chosen) {
  byId(id).replaceChildren(
    createElement("option", { value: "" }, getText(every)),
    ...names.map((name) => createElement("option", { value: name }, name)),
  );
  byId(id, HTMLSelectElement).value = chosen;
}

/** @param {DashboardAnswer} answer */
function showDays(answer) {
  const { choice, now, before, isTooEarly } = viewOf(answer);
  const { channel, template, rule } = choice;
  const days = (/** @type {import("./address.js").Period} */ { first, last: end }) => ({
    first: formatShortDay(first),
    last: formatShortDay(end),
  });
  const shown = now ?? { first: answer.starts_on, last: viewOf(answer).today };
  const parts = [getText("choice.days", days(shown))];
  if (before) parts.push(getText("choice.compared", days(before)));
  if (isTooEarly) {
    parts.push(getText("choice.too-early", { day: formatShortDay(answer.starts_on) }));
  }
  if (channel) {
    const name = getText(/** @type {TextKey} */ (`channel.${channel}`));
    parts.push(getText("choice.of-channel", { channel: name }));
  }
  if (template) parts.push(getText("choice.of-template", { template }));
  if (rule) parts.push(getText("choice.of-rule", { rule }));
  byId("shown-days").textContent = parts.join(" ");
}

/**
 * What of a choice does not tell on numbers that follow some of it only; empty where all does.
 *
 * @param {Choice} choice
 * @param {readonly string[]} followed
 */
export function scopeOf({ period, channel, template, rule }, followed) {
  const parts = [];
  if (followed.includes("now")) parts.push(getText("scope.now"));
  else if (period !== "all" && !followed.includes("period")) parts.push(getText("scope.period"));
  if (channel && !followed.includes("channel")) parts.push(getText("scope.channel"));
  if (template && !followed.includes("template")) parts.push(getText("scope.template"));
  if (rule && !followed.includes("rule")) parts.push(getText("scope.rule"));
  return parts.join(" · ");
}

/**
 * Whether numbers do not follow a filter that is chosen: then they are dimmed.
 *
 * @param {Choice} choice
 * @param {readonly string[]} followed
 */
export function isLeftOut(choice, followed) {
  return FILTERS.some((filter) => choice[filter] !== "" && !followed.includes(filter));
}

/**
 * @param {string} id
 * @param {boolean} isPressed
 */
function press(id, isPressed) {
  byId(id).setAttribute("aria-pressed", String(isPressed));
}

/** @param {Partial<Choice>} changed */
function choose(changed) {
  if (!last) return;
  const { choice } = readChoice(location.search, knownOf(last));
  const search = writeChoice(location.search, { ...choice, ...changed });
  clear(byId("dates-error"));
  history.pushState(null, "", location.pathname + search + location.hash);
  redraw();
}

/**
 * What is not counted by that unit gives way to what is.
 *
 * @param {Choice["unit"]} unit
 */
function chooseUnit(unit) {
  const { measure } = last ? viewOf(last).choice : USUAL;
  choose(isCounted(measure, unit) ? { unit } : { unit, measure: USUAL.measure });
}

function chooseDates() {
  const [from, to] = ["from", "to"].map((id) => byId(id, HTMLInputElement).value);
  const problem = datesProblem(from, to);
  for (const id of ["from", "to"]) {
    byId(id).setAttribute("aria-invalid", String(problem !== null));
    byId(id).setAttribute("aria-describedby", "dates-error");
  }
  if (problem) {
    setText(byId("dates-error"), problem);
    byId("from").focus();
  } else choose({ period: "dates", from, to });
}

/**
 * @param {string} from
 * @param {string} to
 * @returns {TextKey | null}
 */
function datesProblem(from, to) {
  if (!from && !to) return "choice.no-dates";
  return from && to && from > to ? "choice.dates-turned" : null;
}

/**
 * Lets the reader choose; `onChange` draws what is chosen.
 *
 * @param {() => void} onChange
 */
export function prepareChoices(onChange) {
  redraw = onChange;
  for (const period of PERIODS) {
    byId(`period-${period}`).addEventListener("click", () => choose({ period, from: "", to: "" }));
  }
  for (const unit of UNITS) {
    byId(`unit-${unit}`).addEventListener("click", () => chooseUnit(unit));
  }
  for (const measure of MEASURES) {
    byId(`measure-${measure}`).addEventListener("click", () => choose({ measure }));
  }
  onSubmit(byId("dates", HTMLFormElement), chooseDates);
  const compares = byId("compares", HTMLInputElement);
  compares.addEventListener("change", () => choose({ compares: compares.checked }));
  const channel = byId("channel", HTMLSelectElement);
  channel.addEventListener("change", () =>
    choose({ channel: /** @type {Choice["channel"]} */ (channel.value) }),
  );
  const template = byId("template", HTMLSelectElement);
  template.addEventListener("change", () => choose({ template: template.value, rule: "" }));
  const rule = byId("rule", HTMLSelectElement);
  rule.addEventListener("change", () => choose({ rule: rule.value, template: "" }));
  byId("wall").addEventListener("click", () => {
    choose({ view: "wall" });
    document.documentElement.requestFullscreen?.().catch(() => {}); // It is a wall all the same.
  });
  byId("wall-leave").addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    choose({ view: "" });
  });
}
