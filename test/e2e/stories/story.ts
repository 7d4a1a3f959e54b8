// A story calls one operation of KMS with AWS's own SDK and holds what it answers, and what it did,
// to what KMS says of it.

import type { CreateKeyCommandInput, KMS } from "@aws-sdk/client-kms";
import { created, type Stage } from "../suite/stage.ts";

export type Story = (stage: Stage) => Promise<void>;
export type Stories = Readonly<Record<string, Story>>;

export const P = "us-east-1";
export const R = "eu-west-1";

/** The client of the Region that most stories are in. */
export const home = (stage: Stage): KMS => stage.in(P);

/** The ID of a new key there. */
export const newKey = async (stage: Stage, input: CreateKeyCommandInput = {}) =>
  created(await home(stage).createKey(input));

/** A member of an answer that has to be there. */
export function there<T>(member: T | undefined): T {
  if (member === undefined) throw new Error("a member of the answer is missing");
  return member;
}
