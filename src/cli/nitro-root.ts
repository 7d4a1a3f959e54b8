// The file that --nitro-root names. The Worker has no files: it is given what is in this one.

import { readFileSync } from "node:fs";
import { LaunchError } from "./launch-error.ts";

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

const WORDS = ["any", "aws", "none"];

/**
 * The setting as the Worker takes it: a file's name becomes its text; words and a text that is
 * already PEM stay. Throws a LaunchError for a file without good certificates.
 */
export async function nitroRootText(setting: string): Promise<string> {
  if (WORDS.includes(setting)) return setting;
  const pem = setting.match(CERTIFICATES) ? setting : textOf(setting);
  const certificates = pem.match(CERTIFICATES) ?? [];
  const { X509Certificate } = await import("node:crypto"); // Not before it is needed: it takes 2 ms.
  const isCertificate = (text: string) => {
    try {
      return new X509Certificate(text).subject !== undefined;
    } catch {
      return false;
    }
  };
  if (certificates.length === 0 || !certificates.every(isCertificate)) {
    throw new LaunchError(`--nitro-root ${setting}: no certificates in PEM form, or a bad one`);
  }
  return certificates.join("\n");
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new LaunchError(`--nitro-root ${(cause as Error).message}`, { cause });
  }
}
