import { describe, expect, test } from "vitest";
import { helpText, readCommandLine } from "../../src/cli/command-line.ts";
import { optionRows, withStandards, workerVariables } from "../../src/cli/options.ts";

/** The options that a command line and an environment give. */
function options(args: string[], environment: Record<string, string> = {}) {
  const command = readCommandLine(args, environment);
  if (command.name !== "start") throw new Error(`expected a start, not ${command.name}`);
  return command.options;
}

describe("a setting", () => {
  test("has its standard value when nothing is given", () => {
    expect(options([])).toEqual(withStandards({}));
    expect(options([])).toMatchObject({ port: 8787, host: "127.0.0.1", data: "./.edge-kms" });
  });

  test("comes from its variable, and rather from its flag", () => {
    expect(options([], { DEFAULT_REGION: "eu-west-1" }).region).toBe("eu-west-1");
    expect(options(["--region", "ap-south-1"], { DEFAULT_REGION: "eu-west-1" }).region).toBe(
      "ap-south-1",
    );
    expect(options(["--region=ap-south-1"]).region).toBe("ap-south-1");
  });

  test("of the launcher has no variable", () => {
    expect(options([], { PORT: "1", HOST: "x", DATA: "y", MEMORY: "true" })).toEqual(
      withStandards({}),
    );
  });

  test("that is a switch takes no argument", () => {
    expect(options(["--memory", "--movable-clock"])).toMatchObject({
      memory: true,
      movableClock: true,
    });
    expect(options([], { MOVABLE_CLOCK: "true" }).movableClock).toBe(true);
  });

  test("that is a switch may turn something off", () => {
    expect(options([]).policies).toBe(true);
    expect(options(["--no-policies"]).policies).toBe(false);
    expect(options([], { POLICIES: "off" }).policies).toBe(false);
    expect(workerVariables(options(["--no-policies"])).POLICIES).toBe("false");
  });

  test("without a flag comes from its variable: who starts a server here is served", () => {
    expect(options([]).auth).toBe("open");
    expect(options([], { AUTH: "required" }).auth).toBe("required");
  });

  test("given twice has the last value", () => {
    expect(options(["--port", "1", "--port", "2"]).port).toBe(2);
  });

  test("that takes several values has them all", () => {
    const hosts = [
      "--xks-resolve",
      "a.example.com=127.0.0.1:1",
      "--xks-resolve=b.example.com=[::1]:2",
    ];
    expect(options(hosts).xksResolve).toBe("a.example.com=127.0.0.1:1,b.example.com=[::1]:2");
    expect(workerVariables(options(hosts)).XKS_RESOLVE).toBe(options(hosts).xksResolve);
  });

  test("is passed to the Worker as text under its variable", () => {
    expect(workerVariables(options(["--movable-clock", "--creating-ms", "5"]))).toMatchObject({
      DEFAULT_REGION: "us-east-1",
      CREATING_MS: "5",
      MOVABLE_CLOCK: "true",
      AUTH: "open",
    });
  });
});

describe("refused in one line that names the culprit:", () => {
  test.each<[string[], Record<string, string>, RegExp]>([
    [["--port", "x"], {}, /^--port expects a whole number from 0 to 65535, not "x"$/],
    [["--port", "65536"], {}, /^--port expects /],
    [["--port", "-1"], {}, /^--port expects .*, not "-1"$/],
    [["--port"], {}, /^--port expects .*, not ""$/],
    [["--port="], {}, /^--port expects .*, not ""$/],
    [["--port", "--memory"], {}, /^--port expects .*, not "--memory"$/],
    [["--data", ""], {}, /^--data expects a value/],
    [["--log", "loud"], {}, /^--log expects one of off, error, request, not "loud"$/],
    [["--account", "1"], {}, /^--account expects an account of 12 digits/],
    [["--memory=yes"], {}, /^--memory takes no value$/],
    [["--help=yes"], {}, /^--help takes no value$/],
    [["--nonsense"], {}, /^unknown option --nonsense; see edge-kms --help$/],
    [["--auth", "open"], {}, /^unknown option --auth;/],
    [["-p", "1"], {}, /^unknown option -p;/],
    [["serve"], {}, /^unexpected argument "serve"$/],
    [["--", "serve"], {}, /^unexpected argument "serve"$/],
    [["--toString"], {}, /^unknown option --toString;/],
    [["--xks-resolve", "a=b"], {}, /^--xks-resolve expects HOST=ADDRESS:PORT, not "a=b"$/],
    [
      ["--xks-resolve", "a.b=[::1]:2", "--xks-resolve", "A.b=[::1]:3"],
      {},
      /^--xks-resolve names a.b twice$/,
    ],
    [["--xks-ca", ""], {}, /^--xks-ca expects a value/],
    [["--memory", "--data", "x"], {}, /^--memory keeps no state, so it cannot go with --data$/],
    [[], { AUTH: "off" }, /^AUTH expects one of open, required, not "off"$/],
    [[], { AUTH: "" }, /^AUTH expects one of open, required, not ""$/],
    [[], { CREATING_MS: "soon" }, /^CREATING_MS expects a whole number/],
  ])("%j %j", (args, environment, message) => {
    expect(() => options(args, environment)).toThrow(message);
  });
});

test("help and version are found beside other flags", () => {
  expect(readCommandLine(["--port", "1", "--help"], {})).toEqual({
    name: "help",
    text: helpText(),
  });
  expect(readCommandLine(["--version"], {})).toEqual({ name: "version" });
});

test("help has a line for every setting, naming its flag, variable and standard value", () => {
  const lines = helpText().split("\n");
  for (const { flag, variable, standard, kind } of Object.values(optionRows)) {
    const line = lines.find((each) => each.includes(flag ? `--${flag}` : `${variable}=`));
    expect(line).toContain(variable ?? "");
    if (kind.argument !== null) expect(line).toContain(String(standard));
  }
  expect(lines.find((line) => line.includes("ONE_ISOLATE"))).toMatch(/^ {2}ONE_ISOLATE=on\|off /);
  expect(helpText()).toMatch(/^ {2}--help .*\n {2}--version /m);
});
