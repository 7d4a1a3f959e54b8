// The Worker as it was built: a module, and beside it those that it imports when it needs them.

import { readdirSync } from "node:fs";
import { basename, dirname } from "node:path";

/** The names of a bundle's modules in its folder, the one at `path` first. */
export function bundleModules(path: string): readonly string[] {
  const entry = basename(path);
  const stem = `${entry.replace(/\.mjs$/, "")}-`;
  const others = readdirSync(dirname(path)).filter(
    (name) => name.startsWith(stem) && name.endsWith(".mjs"),
  );
  return [entry, ...others.sort()];
}

/**
 * Where the build puts the configuration of a server that is started with a bundle and the standard
 * setup, the bundle included: binary, as `workerd serve --binary` reads it.
 */
export const compiledConfig = (bundle: string): string => bundle.replace(/\.mjs$/, ".workerd");
