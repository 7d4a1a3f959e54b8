// Markers of lists say where a page begins and nothing else. Those of a named tenant also say whose
// they are, so that no other takes them.

import { toBase64 } from "../crypto/base64.ts";
import { hash } from "../crypto/hash.ts";
import { DEFAULT_GENERATION } from "../objects/names.ts";
import type { Output } from "../operations/operation.ts";

/** Characters of base64, which leave what follows them at the start of a group. */
const TAG_LENGTH = 12;
/** No operation takes it. */
const NO_MARKER = "-";

/** The input as operations take it; a marker of another tenant is none. */
export function withOwnMarker(input: object, generation: string): object {
  const { Marker } = input as { readonly Marker?: string };
  if (Marker === undefined || generation === DEFAULT_GENERATION) return input;
  const tag = tagOf(generation);
  return { ...input, Marker: Marker.startsWith(tag) ? Marker.slice(TAG_LENGTH) : NO_MARKER };
}

/** The output as callers see it. */
export function withTenantsMarker(output: Output, generation: string): Output {
  const { NextMarker } = (output ?? {}) as { readonly NextMarker?: string };
  if (NextMarker === undefined || generation === DEFAULT_GENERATION) return output;
  return { ...output, NextMarker: tagOf(generation) + NextMarker };
}

/** Says nothing of the generation but whether it is the same. */
const tagOf = (generation: string) =>
  toBase64(hash("sha256", new TextEncoder().encode(`marker ${generation}`))).slice(0, TAG_LENGTH);
