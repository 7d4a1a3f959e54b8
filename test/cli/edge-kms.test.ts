// The built command as its users meet it: what it prints, when it ends, what it leaves behind.

import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { helpText } from "../../src/cli/command-line.ts";
import { identify } from "../../src/cli/process-identity.ts";
import {
  Command,
  childrenOf,
  cleanEnvironment,
  freeze,
  health,
  isAlive,
  outcome,
  refusal,
  repository,
  temporaryFolder,
} from "./command.ts";
import { until } from "./until.ts";

const { version } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
const newFolder = () => join(temporaryFolder(), "data");
const start = (folder: string, ...args: string[]) =>
  new Command(["--port", "0", "--data", folder, ...args]);

/** A port that is taken until the test ends. */
async function takenPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}

/** A process that is asked to end, says so, and goes on until the test ends it. */
async function slowToEnd() {
  const script = `process.on("SIGTERM", () => console.log("asked")); console.log("up"); setInterval(() => {}, 1000)`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await until("it is up", () => output.includes("up"));
  return {
    identity: identify(child.pid as number),
    askedToEnd: () => until("it is asked to end", () => output.includes("asked")),
    end: () => child.kill("SIGKILL"),
  };
}

describe("a started server", () => {
  test("says once, in one block, what to paste", async () => {
    const folder = newFolder();
    const server = start(folder, "--account", "123456789012", "--region", "eu-west-1");
    const { url } = await server.ready();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(server.stdout).toBe(`edge-kms ${version} is ready at ${url} (state in ${folder})

export AWS_ENDPOINT_URL_KMS=${url}
export AWS_ENDPOINT_URL_STS=${url}
export AWS_ACCESS_KEY_ID=123456789012
export AWS_SECRET_ACCESS_KEY=edge-kms
export AWS_DEFAULT_REGION=eu-west-1
export AWS_REGION=eu-west-1
`);
    expect(server.stderr).toBe("");
  });

  test("answers the first request", async () => {
    const { url } = await start(newFolder()).ready();
    expect(await health(url)).toEqual({ status: "ok" });
  });

  test("keeps its state where it is told, whatever the folder is called, for its user only", async () => {
    const name = `a "b" \\c 'd' é\n$(e)`;
    const parent = temporaryFolder();
    const server = new Command(["--port", "0", "--data", `./${name}`], { cwd: parent });
    const { url } = await server.ready();
    expect(await health(url)).toEqual({ status: "ok" });
    expect(readdirSync(join(parent, name)).sort()).toEqual(["lock", "state"]);
    expect(server.stdout).toContain(`(state in ./${name})`);
  });

  const loopbacks = Object.values(networkInterfaces()).flat();
  test.skipIf(!loopbacks.some((address) => address?.address === "::1"))(
    "listens on IPv6",
    async () => {
      const { url } = await start(newFolder(), "--host", "::1").ready();
      expect(url).toMatch(/^http:\/\/\[::1]:\d+$/);
      expect(await health(url)).toEqual({ status: "ok" });
    },
  );

  test("on every address is called at one that can be called", async () => {
    const { url } = await start(newFolder(), "--host", "0.0.0.0").ready();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await health(url)).toEqual({ status: "ok" });
  });
});

describe("a signal", () => {
  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s ends it cleanly", async (signal) => {
    const folder = newFolder();
    const server = start(folder);
    const { workerd } = await server.ready();
    server.child.kill(signal);
    expect(await server.exit).toEqual({ code: 0, signal: null });
    expect(isAlive(workerd)).toBe(false);
    expect(readdirSync(folder)).toEqual(["state"]);
    expect(server.stderr).toBe("");
  });

  test("while it starts ends it as cleanly, and it never says it is ready", async () => {
    const folder = newFolder();
    // What keeps the start waiting: a workerd left by another server, which is slow to end.
    const leftover = await slowToEnd();
    mkdirSync(folder);
    writeFileSync(join(folder, "lock"), JSON.stringify({ id: "left", workerd: leftover.identity }));
    const server = start(folder);
    await leftover.askedToEnd();
    server.child.kill("SIGTERM");
    leftover.end();
    expect(await server.exit).toEqual({ code: 0, signal: null });
    expect(readdirSync(folder)).toEqual(["state"]);
    expect(server.stdout).toBe("");
  });

  test("that is repeated ends a server that cannot end by itself", async () => {
    const server = start(newFolder());
    const { workerd } = await server.ready();
    await freeze(workerd);
    await until("it is gone", () => !server.child.kill("SIGINT"));
    expect((await server.exit).code).toBeGreaterThan(128);
    await until("workerd is gone", () => !isAlive(workerd));
  });

  test("that comes twice at once, as Ctrl-C does under npm, still ends it cleanly", async () => {
    const folder = newFolder();
    const server = start(folder);
    await server.ready();
    server.child.kill("SIGINT");
    server.child.kill("SIGTERM");
    expect(await server.exit).toEqual({ code: 0, signal: null });
    expect(readdirSync(folder)).toEqual(["state"]);
  });

  test("to `npm start` ends the server", async () => {
    const folder = newFolder();
    const npm = spawn("npm", ["start", "--", "--port", "0", "--data", folder], {
      cwd: repository,
      env: cleanEnvironment(),
      stdio: ["ignore", "pipe", "ignore"],
    });
    onTestFinished(() => void npm.kill("SIGKILL"));
    let output = "";
    npm.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    await until("it is ready", () => output.includes("AWS_REGION"));
    const { launcher, workerd } = JSON.parse(readFileSync(join(folder, "lock"), "utf8"));
    npm.kill("SIGTERM");
    await until("all is gone", () => !isAlive(launcher.pid) && !isAlive(workerd.pid));
    expect(readdirSync(folder)).toEqual(["state"]);
  });
});

describe("when the launcher is killed", () => {
  test("workerd ends too, and the next start on the folder works", async () => {
    const folder = newFolder();
    const first = start(folder);
    const { workerd } = await first.ready();
    first.child.kill("SIGKILL");
    await until("workerd is gone", () => !isAlive(workerd));
    const { url } = await start(folder).ready();
    expect(await health(url)).toEqual({ status: "ok" });
  });

  test("together with the guard, the next start ends the workerd that is left", async () => {
    const folder = newFolder();
    const first = start(folder);
    const { workerd } = await first.ready();
    for (const guard of childrenOf(workerd)) process.kill(guard, "SIGKILL");
    first.child.kill("SIGKILL");
    await until("the launcher is gone", () => !isAlive(first.pid));
    expect(isAlive(workerd)).toBe(true);
    const second = start(folder);
    const { url } = await second.ready();
    expect(isAlive(workerd)).toBe(false);
    expect(await health(url)).toEqual({ status: "ok" });
  });

  test("several starts at once on its folder make one server", async () => {
    const folder = newFolder();
    const first = start(folder);
    await first.ready();
    first.child.kill("SIGKILL");
    await until("the launcher is gone", () => !isAlive(first.pid));
    const servers = Array.from({ length: 4 }, () => start(folder));
    const ready = await until("all but one have ended", () => {
      const left = servers.filter(({ child }) => child.exitCode === null);
      return left.length === 1 && left[0];
    });
    await ready.ready();
    for (const server of servers.filter((each) => each !== ready)) {
      expect(server.stderr).toBe(`edge-kms: ${folder} is in use by pid ${ready.pid}\n`);
    }
  });
});

describe("with --memory", () => {
  const folderOf = (server: Command) =>
    /\(state in (.+), removed at the end\)/.exec(server.stdout)?.[1] as string;

  test("nothing is left when it ends", async () => {
    const server = new Command(["--port", "0", "--memory"]);
    const { url } = await server.ready();
    expect(await health(url)).toEqual({ status: "ok" });
    expect(readdirSync(folderOf(server)).sort()).toEqual(["key-pairs", "state"]);
    server.child.kill("SIGTERM");
    await server.exit;
    expect(existsSync(folderOf(server))).toBe(false);
  });

  test("nothing is left when it is killed", async () => {
    const server = new Command(["--port", "0", "--memory"]);
    const { workerd } = await server.ready();
    server.child.kill("SIGKILL");
    await until("the folder is gone", () => !existsSync(folderOf(server)));
    expect(isAlive(workerd)).toBe(false);
  });

  test("nothing is left when it cannot start", async () => {
    const port = await takenPort();
    const tmp = temporaryFolder();
    const before = existsSync("/dev/shm") ? readdirSync("/dev/shm") : [];
    const env = cleanEnvironment({ TMPDIR: tmp });
    expect((await outcome(["--memory", "--port", String(port)], { env })).code).toBe(1);
    expect(readdirSync(tmp)).toEqual([]);
    if (existsSync("/dev/shm")) {
      const added = readdirSync("/dev/shm").filter((name) => !before.includes(name));
      expect(added.filter((name) => name.startsWith("edge-kms-"))).toEqual([]);
    }
  });
});

describe("refuses to start, in one line,", () => {
  test("on a port that is taken", async () => {
    const port = await takenPort();
    const folder = newFolder();
    expect(await outcome(["--port", String(port), "--data", folder])).toEqual(
      refusal(`port ${port} on 127.0.0.1 is already in use`),
    );
    expect(readdirSync(folder)).toEqual(["state"]);
  });

  test.each(["192.0.2.1", "no-such-host.invalid", "a b", "1.2.3.4.5", "[", "::zz"])(
    "on an address that is not ours: %s",
    async (host) => {
      expect(await outcome(["--port", "0", "--data", newFolder(), "--host", host])).toEqual(
        refusal(`${host} is not an address of this machine`),
      );
    },
  );

  test("on a folder that another server uses", async () => {
    const folder = newFolder();
    const first = start(folder);
    await first.ready();
    expect(await outcome(["--port", "0", "--data", folder])).toEqual(
      refusal(`${folder} is in use by pid ${first.pid}`),
    );
    first.child.kill("SIGTERM");
    await first.exit;
    await start(folder).ready();
  });

  test("on a file", async () => {
    const file = newFolder();
    writeFileSync(file, "");
    expect(await outcome(["--data", file])).toEqual(refusal(`${file} is a file, not a folder`));
    expect(await outcome(["--data", join(file, "x")])).toEqual(
      refusal(`${join(file, "x")} cannot be a folder: a part of its path is a file`),
    );
  });

  test("on a link to nowhere, and where the system takes no folder", async () => {
    const link = newFolder();
    symlinkSync(`${link}-gone`, link);
    for (const folder of [link, join(link, "x")]) {
      expect(await outcome(["--data", folder])).toEqual(
        refusal(`${folder} cannot be used: ${link} is a link to nowhere`),
      );
    }
    if (process.platform !== "linux") return;
    expect(await outcome(["--data", "/proc/edge-kms"])).toEqual(
      refusal(
        "/proc/edge-kms cannot be used: ENOENT: no such file or directory, mkdir '/proc/edge-kms'",
      ),
    );
  });

  test("on a folder that may not be written", async () => {
    const parent = temporaryFolder();
    const folder = join(parent, "data");
    chmodSync(parent, 0o755);
    mkdirSync(folder, { mode: 0o755 });
    // Root may write everywhere, so root tries as somebody else.
    const isRoot = process.getuid?.() === 0;
    if (!isRoot) chmodSync(folder, 0o500);
    const options = isRoot ? { uid: 65534, gid: 65534 } : {};
    expect(await outcome(["--data", folder], options)).toEqual(
      refusal(`no permission to read and write in ${folder}`),
    );
    expect(await outcome(["--data", join(folder, "x")], options)).toEqual(
      refusal(`no permission to read and write in ${join(folder, "x")}`),
    );
  });

  test("a wrong flag or variable", async () => {
    expect(await outcome(["--port", "x"])).toEqual(
      refusal('--port expects a whole number from 0 to 65535, not "x"'),
    );
    expect(await outcome([], { env: cleanEnvironment({ LOG: "loud" }) })).toEqual(
      refusal('LOG expects one of off, error, request, not "loud"'),
    );
  });
});

test("when workerd ends by itself, it says so and ends", async () => {
  const folder = newFolder();
  const server = start(folder);
  const { workerd } = await server.ready();
  process.kill(workerd, "SIGKILL");
  expect(await server.exit).toEqual({ code: 1, signal: null });
  expect(server.stderr).toBe("edge-kms: workerd ended unexpectedly (SIGKILL)\n");
  expect(readdirSync(folder)).toEqual(["state"]);
});

test("--help and --version print and end", async () => {
  expect(await outcome(["--help"])).toEqual({ code: 0, stdout: helpText(), stderr: "" });
  expect(await outcome(["--version"])).toEqual({
    code: 0,
    stdout: `edge-kms ${version}\n`,
    stderr: "",
  });
});
