// Patterns with `*` and `?`, as policies write them. No regular expression: whatever the pattern,
// the work is bounded, as policies and the values they are held against are written by callers.

/** UTF-16 units, with the wildcards as numbers that are none. */
export interface Pattern {
  readonly units: readonly number[];
  /** The one text that fits a pattern without wildcards. */
  readonly only: string | null;
}

/** `*`: any characters, none included. */
export const ANY_TEXT = -1;
/** `?`: any one character. */
export const ANY_UNIT = -2;

const ARN_PARTS = 6;
const COLON = 58;
/** Up to this product of lengths the plain way is the faster one. */
const PLAIN_STEPS = 20_000;

/** The units of a text in which `*` and `?` are wildcards. */
export const wildUnits = (text: string): number[] =>
  literalUnits(text).map((unit) => (unit === 42 ? ANY_TEXT : unit === 63 ? ANY_UNIT : unit));

/** The units of a text that stands for itself alone. */
export const literalUnits = (text: string): number[] =>
  Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));

export function patternOf(units: readonly number[]): Pattern {
  const only = units.some((unit) => unit < 0) ? null : textOf(units);
  return { units, only };
}

function textOf(units: readonly number[]): string {
  let text = "";
  for (const unit of units) text += String.fromCharCode(unit);
  return text;
}

/** Whether the whole text fits. */
export function fits(pattern: Pattern, text: string): boolean {
  const { units, only } = pattern;
  if (only !== null) return only === text;
  if (units.length * text.length <= PLAIN_STEPS) return fitsPlainly(units, text);
  return fitsBySegments(units, text);
}

/** A mismatch goes back to the last `*` only: at most the product of the lengths in steps. */
function fitsPlainly(units: readonly number[], text: string): boolean {
  let [at, star, retry] = [0, -1, 0];
  for (let read = 0; read < text.length; ) {
    if (units[at] === ANY_TEXT) {
      [star, retry] = [at++, read];
    } else if (units[at] === ANY_UNIT || units[at] === text.charCodeAt(read)) {
      at++;
      read++;
    } else if (star >= 0) {
      [at, read] = [star + 1, ++retry];
    } else {
      return false;
    }
  }
  while (units[at] === ANY_TEXT) at++;
  return at === units.length;
}

/** What stands between the `*` has to come in order, each as early as it can. */
function fitsBySegments(units: readonly number[], text: string): boolean {
  const segments = split(units, ANY_TEXT, Number.POSITIVE_INFINITY);
  const first = segments.shift() ?? [];
  const last = segments.pop() ?? [];
  let from = first.length;
  const end = text.length - last.length;
  if (from > end || !isAt(first, text, 0) || !isAt(last, text, end)) return false;
  for (const segment of segments) {
    const found = indexOfSegment(segment, text, from, end);
    if (found < 0) return false;
    from = found + segment.length;
  }
  return true;
}

const isAt = (segment: readonly number[], text: string, start: number) =>
  segment.every((unit, at) => unit === ANY_UNIT || unit === text.charCodeAt(start + at));

/** Shift-And: one bit per unit of the segment, so that 32 beginnings are tried in one step. */
function indexOfSegment(segment: readonly number[], text: string, from: number, end: number) {
  if (segment.length === 0) return from;
  if (!segment.includes(ANY_UNIT)) {
    const found = text.indexOf(textOf(segment), from);
    return found + segment.length <= end ? found : -1;
  }
  const words = Math.ceil(segment.length / 32);
  const masks = masksOf(segment, words);
  const none = masks.get(ANY_UNIT) as Uint32Array;
  const state = new Uint32Array(words);
  const lastWord = words - 1;
  const done = 1 << ((segment.length - 1) & 31);
  for (let read = from; read < end; read++) {
    const mask = masks.get(text.charCodeAt(read)) ?? none;
    let carry = 1;
    for (let word = 0; word < words; word++) {
      const before = state[word] as number;
      state[word] = ((before << 1) | carry) & (mask[word] as number);
      carry = before >>> 31;
    }
    if (((state[lastWord] as number) & done) !== 0) return read + 1 - segment.length;
  }
  return -1;
}

/** For each unit the places where it may stand; under ANY_UNIT those where any may. */
function masksOf(segment: readonly number[], words: number): ReadonlyMap<number, Uint32Array> {
  const masks = new Map([...new Set(segment), ANY_UNIT].map((u) => [u, new Uint32Array(words)]));
  for (const [unit, mask] of masks) {
    segment.forEach((own, at) => {
      if (own === unit || own === ANY_UNIT) mask[at >> 5] = (mask[at >> 5] ?? 0) | (1 << (at & 31));
    });
  }
  return masks;
}

/** A pattern for ARNs, part by part: no wildcard reaches over a colon but in the last part. */
export type ArnPattern = readonly Pattern[];

/** A final `*` stands also for the parts that are not written. */
export function arnPatternOf(units: readonly number[]): ArnPattern {
  const parts = split(units, COLON, ARN_PARTS);
  const rest = units.at(-1) === ANY_TEXT ? [ANY_TEXT] : [];
  while (parts.length < ARN_PARTS) parts.push(rest);
  return parts.map(patternOf);
}

/** Whether an ARN fits part by part. */
export function fitsArn(pattern: ArnPattern, arn: string): boolean {
  let start = 0;
  return pattern.every((part, at) => {
    const colon = at === ARN_PARTS - 1 ? -1 : arn.indexOf(":", start);
    const end = colon < 0 ? arn.length : colon;
    const text = arn.slice(start, end);
    start = Math.min(end + 1, arn.length);
    return fits(part, text);
  });
}

/** At most `limit` pieces; the last has all that is left. */
function split(units: readonly number[], by: number, limit: number): number[][] {
  const pieces: number[][] = [[]];
  for (const unit of units) {
    if (unit === by && pieces.length < limit) pieces.push([]);
    else pieces.at(-1)?.push(unit);
  }
  return pieces;
}
