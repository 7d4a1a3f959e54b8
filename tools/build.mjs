// Builds what is run and published: dist/worker.mjs (the Worker, with what it seldom needs in modules
// of their own, worker-*.mjs), dist/edge-kms.cjs (the launcher, which looks for them beside itself) and
// dist/worker.workerd (both for the start: what workerd reads).
// npm runs it as `prepare`; the same sources give the same bytes, wherever and whenever they are built.

import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

/** A file of the repository as text. */
const source = (name) => readFileSync(join(root, name), "utf8");

/** The one match of a pattern's group in wrangler.toml; a fact that is not there stops the build. */
function wranglerFact(toml, pattern) {
  const match = pattern.exec(toml);
  if (!match) throw new Error(`wrangler.toml has nothing that matches ${pattern}`);
  return match[1];
}

/** What the launcher has to know of package.json and wrangler.toml, so that neither is repeated. */
function buildFacts() {
  const toml = source("wrangler.toml");
  const binding = /^\[\[durable_objects\.bindings]]\s+name = "(.+)"\s+class_name = "(.+)"/gm;
  const durableObjects = [...toml.matchAll(binding)].map(([, name, className]) => ({
    name,
    className,
  }));
  if (durableObjects.length === 0) throw new Error("wrangler.toml names no Durable Object");
  return {
    version: JSON.parse(source("package.json")).version,
    compatibilityDate: wranglerFact(toml, /^compatibility_date = "(.+)"/m),
    compatibilityFlags: JSON.parse(wranglerFact(toml, /^compatibility_flags = (\[.*])/m)),
    durableObjects,
  };
}

/** Names stay: they are what a logged stack trace is made of, and libraries of ASN.1 go by them. */
const common = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  legalComments: "none",
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: "warning",
};

// The names of modules change with what is in them: none of an earlier build may stay.
mkdirSync(join(root, "dist"), { recursive: true });
for (const name of readdirSync(join(root, "dist"))) {
  if (/^worker-.*\.mjs/.test(name)) rmSync(join(root, "dist", name));
}
await Promise.all([
  build({
    ...common,
    entryPoints: [{ in: "src/index.ts", out: "worker" }],
    outdir: "dist",
    outExtension: { ".js": ".mjs" },
    // What is imported dynamically is not read at the start: a tenth of the time until the first answer.
    splitting: true,
    chunkNames: "worker-[name]-[hash]",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    sourcemap: "linked",
  }),
  build({
    ...common,
    entryPoints: ["src/cli/main.ts"],
    outfile: "dist/edge-kms.cjs",
    platform: "node",
    // Node starts a CommonJS file sooner: an import of a built-in module reads all it exports at once.
    format: "cjs",
    banner: { js: `const edgeKmsUrl=require("node:url").pathToFileURL(__filename).href;` },
    target: "node20",
    external: ["workerd", "yaml"],
    define: {
      EDGE_KMS_BUILD: JSON.stringify(buildFacts()),
      "import.meta.url": "edgeKmsUrl",
    },
  }),
]);
chmodSync(join(root, "dist/edge-kms.cjs"), 0o755);
await compileConfig();

/**
 * dist/worker.workerd: the configuration and the Worker in one, in the form that workerd reads without
 * parsing anything. Where workerd cannot run there is none, and the launcher does without.
 */
async function compileConfig() {
  const parts = ["options", "worker-bundle", "workerd-config"];
  const contents = parts.map((name) => `export * from "./src/cli/${name}.ts";`).join("");
  const { outputFiles } = await build({
    ...common,
    stdin: { contents, resolveDir: root },
    platform: "node",
    write: false,
  });
  const code = Buffer.from(outputFiles[0].contents).toString("base64");
  const launcher = await import(`data:text/javascript;base64,${code}`);
  const variables = Object.keys(launcher.workerVariables(launcher.withStandards({})));
  const bundle = join(root, "dist/worker.mjs");
  const setup = launcher.standardSetup(launcher.bundleModules(bundle), variables);
  const text = join(root, "dist/worker.capnp");
  writeFileSync(text, launcher.workerdConfig(buildFacts(), setup));
  const compiled = launcher.compiledConfig(bundle);
  rmSync(compiled, { force: true });
  try {
    const options = ["compile", "--config-only", `--import-path=${join(root, "dist")}`, text];
    const binary = createRequire(import.meta.url)("workerd").default;
    writeFileSync(compiled, execFileSync(binary, options, { maxBuffer: 2 ** 26 }));
  } catch (error) {
    process.stderr.write(`The configuration was not compiled: ${error.message}\n`);
  } finally {
    rmSync(text);
  }
}
