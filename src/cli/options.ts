// What the launcher can be told: every setting with its standard value. Whether a value comes from
// a flag, the environment or a program is not known here.

import {
  type LauncherSettings,
  launcherSettings,
  type Setting,
  type WorkerSettings,
  workerSettings,
} from "../settings.ts";

export type Options = LauncherSettings & WorkerSettings;

/** A deployment has to decide whom it serves; who starts a server on their own machine has. */
const auth = { ...workerSettings.auth, standard: "open" } as const;

/** It depends on who can reach a server, too, whether documents that prove nothing do harm. */
const nitroRoot = { ...workerSettings.nitroRoot, standard: "any" } as const;

/** The launcher's workerd has one process, one thread and one isolate for the Worker's one service. */
const oneIsolate = { ...workerSettings.oneIsolate, standard: true } as const;

/** Nobody is to be protected from themselves on their own machine. */
const tenantLimits = { ...workerSettings.tenantLimits, standard: "off" } as const;

/** The rows of the settings table as the launcher uses them, in the order of `--help`. */
export const optionRows: { readonly [Name in keyof Options]: Setting<Options[Name]> } = {
  ...launcherSettings,
  ...workerSettings,
  auth,
  nitroRoot,
  oneIsolate,
  tenantLimits,
};

/** The options that are given, and the standard value of those that are not. */
export function withStandards(given: Partial<Options>): Options {
  const standards = Object.entries(optionRows).map(([name, row]) => [name, row.standard]);
  return { ...Object.fromEntries(standards), ...given };
}

/** The Worker's variables: each of its settings as text, whatever its origin. */
export function workerVariables(options: Options): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const name of Object.keys(workerSettings) as (keyof WorkerSettings)[]) {
    const { variable } = workerSettings[name];
    if (variable !== null) variables[variable] = String(options[name]);
  }
  return variables;
}
