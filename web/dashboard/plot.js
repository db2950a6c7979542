/**
 * The library that draws the charts, alone: the page fetches it when its figures are there.
 */

export { default } from "uplot";
