// The shape of the source, held by a test: who imports whom, and what files may be called.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const src = fileURLToPath(new URL("../src", import.meta.url));

const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) =>
  /(?<!\.d)\.ts$/.test(file),
);

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

/** The folder of a file below src, or its own name where it has none. */
const layer = (file: string) => file.split("/")[0]?.replace(/\.ts$/, "") ?? "";

const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(src, file), "utf8");
  return [...text.matchAll(/^(import|export)( type)? [^;]*?from "([^"]+)";$/gms)]
    .filter((match) => match[3]?.startsWith("."))
    .map((match) => ({
      from: file,
      to: relative(src, normalize(join(src, dirname(file), match[3] ?? ""))),
      typeOnly: match[2] !== undefined,
    }));
});

/** Everyone may import errors and assert; nobody but the entry imports the app. */
const allowed: Record<string, readonly string[]> = {
  index: ["app", "objects"],
  app: ["api", "settings"],
  api: [
    ...["identity", "configuration", "sigv4", "operations", "domain", "crypto"],
    ...["attestation", "settings"],
  ],
  identity: ["configuration", "operations", "domain", "crypto"],
  configuration: ["domain"],
  objects: ["configuration", "operations", "domain", "crypto", "settings", "xks"],
  operations: ["domain", "crypto", "attestation", "xks"],
  crypto: [],
  domain: ["crypto"],
  sigv4: ["crypto"],
  xks: ["sigv4", "crypto"],
  attestation: ["crypto"],
  cli: ["configuration", "settings", "xks"],
  settings: ["domain", "xks"],
};
/** What the edge shares with objects. */
const sharedWithObjects = [
  "objects/names.ts",
  "objects/key-sets-at-hand.ts",
  "objects/next-key-ids.ts",
  "objects/tenant-gone.ts",
];
/** Beyond these, types alone. */
const allowedTypes: Record<string, readonly string[]> = {
  api: ["objects"],
  crypto: ["domain"],
  operations: ["settings"],
  cli: ["domain", "operations"],
};

test("every import goes down the layers", () => {
  expect(imports.length).toBeGreaterThan(100);
  const wrong = imports.filter(({ from, to, typeOnly }) => {
    const [above, below] = [layer(from), layer(to)];
    if (above === below || below === "errors" || below === "assert") return false;
    if (above === "api" && sharedWithObjects.includes(to)) return false;
    return !allowed[above]?.includes(below) && !(typeOnly && allowedTypes[above]?.includes(below));
  });
  expect(wrong).toEqual([]);
});

test("the core has no clock and no chance of its own, and waits only for cryptography", () => {
  for (const file of files.filter((name) => /^(domain|operations)\//.test(name))) {
    const text = readFileSync(join(src, file), "utf8");
    expect(text, file).not.toMatch(
      /Date\.now|new Date\(\)|Math\.random|getRandomValues|setTimeout/,
    );
    if (file.startsWith("domain/")) expect(text, file).not.toMatch(/\bawait\b/);
  }
});

test("files say what they hold", () => {
  for (const file of files) {
    expect(file).toMatch(/^[a-z0-9/.-]+$/);
    expect(file).not.toMatch(/utils?|helpers?|common|types|manager|factory/);
    expect(readFileSync(join(src, file), "utf8"), file).toMatch(/^(\/\/|\/\*\*|#!)/);
  }
});

test("versions are exact, and the lockfile has no addresses to download from", () => {
  const read = (file: string) => readFileSync(join(src, "..", file), "utf8");
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read("package.json"));
  for (const version of [dependencies, devDependencies, optionalDependencies].flatMap(
    Object.values,
  )) {
    expect(version).toMatch(/^\d+\.\d+\.\d+(-[a-z0-9.]+)?$/);
  }
  expect(read("package-lock.json")).not.toMatch(/"resolved"|https?:\/\/registry\./);
});
