// The npm package voucher-code-generator: node generator.mjs COUNT LENGTH ALPHABET, run where it is
// installed. Prints its own time, like tandem_codes.py.
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const generator = require("voucher-code-generator");

const [count, length] = process.argv.slice(2, 4).map(Number);
const charset = process.argv[4];
const began = performance.now();
const codes = generator.generate({ count, length, charset });
const seconds = (performance.now() - began) / 1000;
const shaped = codes.filter(
  (code) => code.length === length && [...code].every((letter) => charset.includes(letter)),
);
console.log(JSON.stringify({ seconds, distinct: new Set(codes).size, valid: shaped.length }));
