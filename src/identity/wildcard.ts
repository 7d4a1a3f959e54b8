// `*` and `?` in the elements of a policy. In time of both lengths multiplied, whatever the pattern:
// a regular expression made of it would not be.

/** Whether a whole text matches a pattern: `*` is any characters, `?` is one. */
export function matches(pattern: string, text: string): boolean {
  let [at, read] = [0, 0];
  // The last `*` and where its match ended, to which a mismatch goes back.
  let [star, retry] = [-1, 0];
  while (read < text.length) {
    if (pattern[at] === "*") {
      [star, retry] = [at++, read];
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === text[read])) {
      at++;
      read++;
    } else if (star >= 0) {
      [at, read] = [star + 1, ++retry];
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(at));
}
