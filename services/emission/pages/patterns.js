// How personal codes will look, and how many there can be.

import { count, shortCount } from "./format.js";

export const PATTERN = "####-####-####";
const ALPHABET = "23456789ACDEFGHJKMNPQRTVWXY"; // as services/emission/codes.py: what nobody misreads
const GUESSES_PER_CODE = 100_000;
const FEWEST = 1_000;

// How many random characters so many codes need to be unguessable.
export function fewestRandom(codes) {
  let characters = 0;
  for (let there = 1; there < GUESSES_PER_CODE * Math.max(codes, FEWEST); there *= ALPHABET.length) characters += 1;
  return characters;
}

export function space(random) {
  const all = ALPHABET.length ** random;
  return all < 1_000_000 ? count(all) : shortCount(all);
}

// An example that stays the same while one types the rest.
export function example(pattern, seed) {
  let state = seed * 2654435761;
  return [...pattern.toUpperCase()].map((one) => {
    if (one !== "#") return one;
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ALPHABET[(state >>> 8) % ALPHABET.length];
  }).join("");
}
