// Patterns with `*` and `?`, as policies write them. No regular expression: matching never backtracks
// further than to the last `*`.

/**
 * Whether `text` fits `pattern`, in which `*` stands for any characters and `?` for any one.
 * A mismatch goes back to the last `*` only, so the steps are at most the product of the lengths.
 */
export function fits(pattern: string, text: string): boolean {
  let [at, star, retry] = [0, -1, 0];
  for (let read = 0; read < text.length; ) {
    if (pattern[at] === "*") {
      [star, retry] = [at++, read];
    } else if (pattern[at] === "?" || pattern[at] === text[read]) {
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
