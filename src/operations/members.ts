// Input members that many operations share, with the model's bounds.

import { type EncryptionAlgorithmName, encryptionAlgorithms } from "../crypto/algorithms.ts";
import { isRegion, type Region } from "../domain/region.ts";
import { validation } from "../errors.ts";
import {
  blob,
  boolean,
  integer,
  list,
  oneOf,
  required,
  stringMap,
  structure,
  text,
} from "./shape.ts";

/** That it is ASCII is not in the published model (recorded on AWS, floci-io/floci#3968). */
export const keyId = text({ min: 1, max: 2048, observed: "^\\p{ASCII}+$" });

export const grantTokens = list(text({ min: 1, max: 8192 }), { min: 0, max: 10 });

/** An ARN, or a service's principal. */
export const principal = text({ min: 1, max: 256, pattern: "^[\\w+=,.@:/-]+$" });

export const servicePrincipal = text({
  min: 1,
  max: 128,
  pattern: "^([A-Za-z0-9\\-]+)\\.([A-Za-z0-9\\-]+)(\\.[A-Za-z0-9\\-]+)+$",
});

export const grantId = text({ min: 1, max: 128 });

export const encryptionContext = stringMap;

export const encryptionAlgorithm = oneOf([
  ...(Object.keys(encryptionAlgorithms) as EncryptionAlgorithmName[]),
  "SYMMETRIC_DEFAULT",
]);

export const dryRun = boolean;

export const dryRunModifiers = list(oneOf(["IGNORE_CIPHERTEXT"]));

export const ciphertextBlob = blob({ min: 1, max: 6144 });

/** The attestation document of a Nitro enclave or a NitroTPM; see api/recipient.ts. */
export const recipient = structure({
  KeyEncryptionAlgorithm: oneOf(["RSAES_OAEP_SHA_256"]),
  AttestationDocument: blob({ min: 1, max: 262_144 }),
});

export const policy = text({
  min: 1,
  max: 131_072,
  pattern: "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+",
});

export const policyName = text({ min: 1, max: 128, pattern: "[\\w]+" });

export const description = text({ min: 0, max: 8192 });

export const tags = list(
  structure({
    TagKey: required(text({ min: 1, max: 128 })),
    TagValue: required(text({ min: 0, max: 256 })),
  }),
);

export const region = text({ min: 1, max: 32, pattern: "^([a-z]+-){2,3}\\d+$" });

export const limit = integer({ min: 1, max: 1000 });

export const marker = text({ min: 1, max: 1024, pattern: "[\\u0020-\\u00FF]*" });

export const aliasName = text({ min: 1, max: 256, pattern: "^[a-zA-Z0-9:/_-]+$" });

/** The Region a caller names, or null where KMS has none of that name. */
export const knownRegion = (name: string): Region | null => (isRegion(name) ? name : null);

/** The refusal of a request without a member that the model leaves optional and KMS does not. */
export const memberMissing = (path: string) =>
  validation(
    `1 validation error detected: Value null at '${path}' failed to satisfy constraint: ` +
      "Member must not be null",
  );
