// The tags of a role's session: those that are asked for, and those that the caller's own session hands
// on. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html

import type { Principal } from "../domain/principal.ts";
import type { RoleSession, Session } from "./session.ts";
import { StsError } from "./sts-error.ts";

interface AskedTags {
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[];
  readonly TransitiveTagKeys?: readonly string[];
}

interface Tagger {
  readonly principal: Principal;
  readonly session: Session | null;
}

const invalid = (text: string) => new StsError("InvalidParameterValue", text);

/** The tags of the session to be, and which go on from it. Throws InvalidParameterValue. */
export function sessionTags(
  { Tags = [], TransitiveTagKeys = [] }: AskedTags,
  { session, principal }: Tagger,
): Pick<RoleSession, "tags" | "transitive"> {
  const inherited = session?.kind === "role" ? session.transitive : [];
  const keys = Tags.map(({ Key }) => Key.toLowerCase());
  if (new Set(keys).size < keys.length) {
    throw invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  }
  if (Tags.some(({ Key, Value }) => isReserved(Key) || isReserved(Value))) {
    throw invalid("Tag keys and values that begin with aws: are reserved.");
  }
  const asked = new Set(keys);
  if (TransitiveTagKeys.some((key) => !asked.has(key.toLowerCase()))) {
    throw invalid("The specified transitive tag key must be included in the requested tags.");
  }
  if (inherited.some((key) => asked.has(key.toLowerCase()))) {
    throw invalid(
      "One of the specified transitive tag keys can't be set because it conflicts with a " +
        "transitive tag key from the calling session.",
    );
  }
  const handedOn = inherited.map((key) => [key, ownTag(principal, key)] as const);
  return {
    tags: Object.fromEntries([...handedOn, ...Tags.map(({ Key, Value }) => [Key, Value] as const)]),
    transitive: [...inherited, ...TransitiveTagKeys],
  };
}

const isReserved = (text: string) => /^aws:/i.test(text);

/** Where nobody's word is checked a token may hand on a tag that its session has not. */
const ownTag = ({ tags }: Principal, key: string) =>
  Object.hasOwn(tags, key) ? (tags[key] ?? "") : "";
