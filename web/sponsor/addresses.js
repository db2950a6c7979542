/**
 * Reads people out of whatever is typed or pasted: addresses with any separators between them, a
 * column of a spreadsheet, names before or beside addresses.
 *
 * Pure. Whether an address is good is up to the API; here is only decided what belongs together.
 */

/** @typedef {{email: string, first_name?: string}} Person */

const ADDRESS = /[^\s<>()"',;]+@[^\s<>()"',;]+/g;

/**
 * The people in a text, and what is left of it: words without an address.
 *
 * @param {string} text
 * @returns {{people: Person[], rest: string}}
 */
export function readPeople(text) {
  /** @type {Person[]} */
  const people = [];
  /** @type {string[]} */
  const rest = [];
  for (const line of text.split(/[\r\n]+/)) {
    let name = "";
    for (const cell of line.split(/[,;\t]/)) {
      const found = peopleIn(cell, name);
      people.push(...found);
      if (found.length) name = "";
      else if (cell.trim()) {
        if (name) rest.push(name);
        name = cell.trim();
      }
    }
    if (name) nameLast(people, name, line) || rest.push(name);
  }
  return { people, rest: rest.join(" ") };
}

/**
 * @param {string} cell
 * @param {string} nameBefore in the cell before
 * @returns {Person[]}
 */
function peopleIn(cell, nameBefore) {
  let end = 0;
  return Array.from(cell.matchAll(ADDRESS), (match, at) => {
    const before = cell.slice(end, match.index);
    end = match.index + match[0].length;
    const name = tidy(before) || (at === 0 ? tidy(nameBefore) : "");
    return name ? { email: match[0], first_name: name } : { email: match[0] };
  });
}

/**
 * A name in the cell behind the only address of its line belongs to it.
 *
 * @param {Person[]} people
 * @param {string} name
 * @param {string} line
 */
function nameLast(people, name, line) {
  const last = people.at(-1);
  const isAlone = line.match(ADDRESS)?.length === 1 && /[,;\t]/.test(line);
  if (!last || last.first_name || !isAlone || line.indexOf(last.email) > line.indexOf(name)) {
    return false;
  }
  last.first_name = tidy(name);
  return true;
}

/** @param {string} text */
function tidy(text) {
  return text
    .replace(/[<>()"':]|mailto:/gi, " ")
    .replace(/\s+/g, " ")
    .trim();
}

/**
 * Whether the reader has ended an entry: with a separator, or a space behind an address.
 *
 * @param {string} text
 */
export function isEnded(text) {
  return /[\r\n,;\t]/.test(text.trimStart()) || /@\S+\.\S+\s$/.test(text);
}
