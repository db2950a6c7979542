/**
 * Makes one script of each page's modules, and one style sheet of each style, with esbuild.
 *
 * On standard input: `{web, pages: {name: [modules]}, libraries: {name: file}, inline: {name: file},
 * styles: {name: file}}`, paths in the folder `web`. On standard output: `{scripts: {name: text},
 * styles: {name: text}}`, the libraries, which pages fetch later, and the scripts that stand in the
 * HTML among the scripts. What esbuild does not take ends it with status 1, and what it says of it.
 *
 * infra/pages.py runs this, names the results by their content and writes them.
 */

import { dirname } from "node:path";
import { text } from "node:stream/consumers";

import { build } from "esbuild";

/** Browsers since 2022: what the modules are written for. */
const TARGET = ["es2022", "chrome104", "firefox104", "safari15.4"];
const { web, pages, libraries, inline, styles } = JSON.parse(await text(process.stdin));
const COMMON = {
  absWorkingDir: dirname(web),
  bundle: true,
  minify: true,
  write: false,
  charset: "utf8",
  legalComments: "none",
  logLevel: "silent",
  target: TARGET,
};

/** @param {import("esbuild").BuildOptions} options */
async function built(options) {
  const { outputFiles, warnings } = await build({ ...COMMON, ...options });
  if (warnings.length) throw { errors: warnings };
  return outputFiles[0].text;
}

/** @param {string[]} modules */
function script(modules) {
  const contents = modules.map((path) => `import ${JSON.stringify(`.${path}`)};`).join("\n");
  return built({ stdin: { contents, resolveDir: web, sourcefile: "page" }, format: "esm" });
}

/** @param {string} path */
function library(path) {
  return built({ entryPoints: [`${web}${path}`], format: "esm" });
}

/** @param {string} path */
async function inlined(path) {
  const text = await built({ entryPoints: [`${web}${path}`], format: "iife" });
  return text.trimEnd();
}

/** @param {string} path */
function style(path) {
  // What is served stays an address; a style of a package is bundled, wherever it lies.
  return built({ entryPoints: [`${web}${path}`], external: ["/*.svg", "/*.png"] });
}

/**
 * @template In
 * @param {Record<string, In>} asked
 * @param {(one: In) => Promise<string>} make
 */
async function each(asked, make) {
  const made = Object.entries(asked).map(async ([name, one]) => [name, await make(one)]);
  return Object.fromEntries(await Promise.all(made));
}

try {
  const scripts = {
    ...(await each(pages, script)),
    ...(await each(libraries, library)),
    ...(await each(inline, inlined)),
  };
  const answer = { scripts, styles: await each(styles, style) };
  process.stdout.write(JSON.stringify(answer));
} catch (failure) {
  const { errors = [{ text: String(failure), location: null }] } = failure;
  for (const { text: said, location } of errors) {
    console.error(location ? `${location.file}:${location.line}: ${said}` : said);
  }
  process.exitCode = 1;
}
