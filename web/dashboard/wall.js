/**
 * The dashboard on a wall: the six figures stay, and what is below them takes turns, without
 * scrolling. A screen with a wall link is always like that, anybody else's when the address says
 * `view=wall`. Who looks can stop the turns.
 */

import { byId } from "../shared/elements.js";
import { setText } from "../shared/page-text.js";
import { fitCharts } from "./charts.js";

const TURN_MS = 15_000;
/** @type {ReturnType<typeof setInterval> | undefined} */
let turns;
let at = 0;
let isPaused = false;

/** Whether the page is laid out for a wall. */
export function isOnWall() {
  return document.body.classList.contains("on-wall");
}

/**
 * Lays the page out for a wall, or for a desk again.
 *
 * @param {boolean} isWall
 */
export function layOut(isWall) {
  if (isWall === isOnWall()) return;
  document.body.classList.toggle("on-wall", isWall);
  byId("wall-controls").hidden = !isWall;
  at = 0;
  showTurn();
  pause(false);
}

/** The numbers of the groups that have anything to show, in order. */
function groups() {
  const cards = [...document.querySelectorAll("[data-turn]:not([hidden])")];
  return [...new Set(cards.map((card) => Number(card.getAttribute("data-turn"))))].sort(
    (one, other) => one - other,
  );
}

function showTurn() {
  const there = groups();
  const shown = there[at % there.length];
  for (const card of document.querySelectorAll("[data-turn]")) {
    const isOff = isOnWall() && Number(card.getAttribute("data-turn")) !== shown;
    card.classList.toggle("off-turn", isOff);
  }
  fitCharts();
}

/** @param {boolean} isToPause */
function pause(isToPause) {
  isPaused = isToPause;
  setText(byId("wall-pause"), isPaused ? "wall.resume" : "wall.pause");
  clearInterval(turns);
  if (isOnWall() && !isPaused) turns = setInterval(() => turn(1), TURN_MS);
}

/** @param {1 | -1} by */
function turn(by) {
  at = (at + by + groups().length) % groups().length;
  showTurn();
}

/** Lets who looks stop the turns, and take one by hand. */
export function prepareWall() {
  byId("wall-pause").addEventListener("click", () => pause(!isPaused));
  addEventListener("keydown", ({ key }) => {
    if (isOnWall() && key === "ArrowRight") turn(1);
    if (isOnWall() && key === "ArrowLeft") turn(-1);
  });
}
