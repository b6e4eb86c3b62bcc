/**
 * Patterns with both `*` and `?`, matched in one pass over the text: all the places of the pattern that can be reached
 * are kept as bits of machine words, and move together. Where two pointers would try a part of the pattern again at each
 * character of the text, this costs the text's length times the pattern's, divided by 32.
 *
 * Source: Baeza-Yates and Gonnet, "A new approach to text searching", CACM 35 (1992), with states that stay for `*`.
 */

import { ANY_ONE, ANY_RUN, matchGlob } from './glob.ts';

type GlobMatcher = (text: string, from: number, to: number) => boolean;

/**
 * The longest key has so many bytes. In a pattern that is longer only the characters that come often have a mask of
 * their own: what is kept for it grows with its length, not with the square of that.
 */
const MAX_CHARACTERS = 1024;
const WORD = 32;

export function compileStates(pattern: readonly number[]): GlobMatcher {
  const places = readPlaces(pattern);
  const { characters } = places;
  // Without a `*` there is nothing to try again.
  if (!pattern.includes(ANY_RUN)) {
    return (text, from, to) => to - from >= characters.length && matchGlob(pattern, text, from, to);
  }
  return characters.length < WORD ? compileWord(places) : compileWords(places);
}

/** The characters of a pattern, as code points or `ANY_ONE`, and before which of them (or at the end) a `*` stands. */
interface Places {
  readonly characters: readonly number[];
  readonly runs: ReadonlySet<number>;
}

function readPlaces(pattern: readonly number[]): Places {
  const characters: number[] = [];
  const runs = new Set<number>();
  for (let at = 0; at < pattern.length; at += 1) {
    const token = pattern[at] ?? 0;
    const next = pattern[at + 1] ?? 0;
    if (token === ANY_RUN) {
      runs.add(characters.length);
    } else if (isHigh(token) && next >= 0xdc00 && next <= 0xdfff) {
      characters.push((token - 0xd800) * 0x400 + (next - 0xdc00) + 0x1_0000);
      at += 1;
    } else {
      characters.push(token);
    }
  }
  return { characters, runs };
}

/** Bit `n`: the first `n` characters are matched. One word holds the bits of a pattern of up to 31 characters. */
function compileWord(places: Places): GlobMatcher {
  const { characters } = places;
  const masks = masksOf(places);
  const wildcard = wordOf(masks.wildcard);
  const loops = wordOf(masks.loops);
  const ascii = Int32Array.from({ length: 0x80 }, (_, code) =>
    wordOf(masks.byCharacter.get(code) ?? masks.wildcard),
  );
  const final = 1 << characters.length;
  return (text, from, to) => {
    let states = 1;
    for (let at = from; at < to; at += 1) {
      const code = text.codePointAt(at) ?? 0;
      if (code > 0xffff) at += 1;
      const mask = code < 0x80 ? (ascii[code] ?? 0) : wordOf(masks.byCharacter.get(code), wildcard);
      states = ((states & mask) << 1) | (states & loops);
      if (states === 0) return false;
    }
    return (states & final) !== 0;
  };
}

/** The same for longer patterns, the bits in several words. */
function compileWords(places: Places): GlobMatcher {
  const { characters } = places;
  const { byCharacter, rare, wildcard, loops } = masksOf(places);
  return (text, from, to) => {
    if (to - from < characters.length) return false;
    const states = new Int32Array(loops.length);
    const made = new Int32Array(rare.size === 0 ? 0 : loops.length);
    const maskOf = (code: number): Int32Array => {
      const found = rare.get(code);
      if (found === undefined) return wildcard;
      made.set(wildcard);
      for (const place of found) setBit(made, place);
      return made;
    };
    states[0] = 1;
    for (let at = from; at < to; at += 1) {
      const code = text.codePointAt(at) ?? 0;
      if (code > 0xffff) at += 1;
      const mask = byCharacter.get(code) ?? maskOf(code);
      let carry = 0;
      let alive = 0;
      for (let word = 0; word < states.length; word += 1) {
        const before = states[word] ?? 0;
        const moved = before & (mask[word] ?? 0);
        const after = (moved << 1) | carry | (before & (loops[word] ?? 0));
        states[word] = after;
        alive |= after;
        carry = moved >>> (WORD - 1);
      }
      if (alive === 0) return false;
    }
    return hasBit(states, characters.length);
  };
}

interface Masks {
  /** Bit `n`: the character `n` of the pattern is this one, or `?`. */
  readonly byCharacter: ReadonlyMap<number, Int32Array>;
  /** The places of the others. */
  readonly rare: ReadonlyMap<number, readonly number[]>;
  /** For a character that is not in the pattern. */
  readonly wildcard: Int32Array;
  /** Bit `n`: a `*` stands before the character `n`. */
  readonly loops: Int32Array;
}

function masksOf({ characters, runs }: Places): Masks {
  const words = Math.floor(characters.length / WORD) + 1;
  const wildcard = new Int32Array(words);
  const loops = new Int32Array(words);
  for (const run of runs) setBit(loops, run);
  for (const [index, character] of characters.entries()) if (character === ANY_ONE) setBit(wildcard, index);
  const byCharacter = new Map<number, Int32Array>();
  const rare = new Map<number, readonly number[]>();
  const often = characters.length > MAX_CHARACTERS ? words : 0;
  for (const [character, found] of placesOf(characters)) {
    if (found.length < often) {
      rare.set(character, found);
      continue;
    }
    const mask = wildcard.slice();
    for (const place of found) setBit(mask, place);
    byCharacter.set(character, mask);
  }
  return { byCharacter, rare, wildcard, loops };
}

function placesOf(characters: readonly number[]): ReadonlyMap<number, readonly number[]> {
  const places = new Map<number, number[]>();
  for (const [index, character] of characters.entries()) {
    if (character === ANY_ONE) continue;
    const known = places.get(character);
    if (known === undefined) places.set(character, [index]);
    else known.push(index);
  }
  return places;
}

function setBit(words: Int32Array, bit: number): void {
  const word = Math.floor(bit / WORD);
  words[word] = (words[word] ?? 0) | (1 << (bit % WORD));
}

function hasBit(words: Int32Array, bit: number): boolean {
  return ((words[Math.floor(bit / WORD)] ?? 0) & (1 << (bit % WORD))) !== 0;
}

function wordOf(words: Int32Array | undefined, otherwise = 0): number {
  return words?.[0] ?? otherwise;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
