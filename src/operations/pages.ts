// Lists in pages: Limit, Marker, Truncated, NextMarker. A marker is opaque to callers; it carries
// the operation and the position after which the next page begins.

import { KmsError } from "../errors.ts";

interface PageInput {
  readonly Limit?: number | undefined;
  readonly Marker?: string | undefined;
}

/** How many items a page has: `standard` when the caller does not say, never more than `max`. */
export interface PageSize {
  readonly standard: number;
  readonly max: number;
}

/** What an answer says besides its items. */
export interface PageOutput {
  readonly NextMarker?: string;
  readonly Truncated: boolean;
}

export const pageLimit = (input: PageInput, size: PageSize) =>
  Math.min(input.Limit ?? size.standard, size.max);

/** The position a marker stands for, "" for the first page. Throws InvalidMarkerException. */
export function markerPosition(operation: string, marker: string | undefined): string {
  if (marker === undefined) return "";
  const prefix = `${operation}:`;
  const text = decoded(marker);
  if (!text?.startsWith(prefix)) throw new KmsError("InvalidMarkerException");
  return text.slice(prefix.length);
}

/**
 * A page of `items`, which hold one more than `limit` where there is a next page.
 * `positionOf` names the place of an item in the list's order, in Latin-1 characters.
 */
export function page<T>(
  operation: string,
  items: readonly T[],
  limit: number,
  positionOf: (item: T) => string,
): { readonly items: readonly T[]; readonly output: PageOutput } {
  const shown = items.slice(0, limit);
  const last = shown.at(-1);
  if (items.length <= limit || last === undefined)
    return { items: shown, output: { Truncated: false } };
  const NextMarker = btoa(`${operation}:${positionOf(last)}`);
  return { items: shown, output: { NextMarker, Truncated: true } };
}

/** A page of a list that is wholly at hand; positions are indices. */
export function pageOf<T>(
  operation: string,
  all: readonly T[],
  input: PageInput,
  size: PageSize,
): { readonly items: readonly T[]; readonly output: PageOutput } {
  const position = markerPosition(operation, input.Marker);
  if (!/^\d{0,9}$/.test(position)) throw new KmsError("InvalidMarkerException");
  const start = Number(position);
  const limit = pageLimit(input, size);
  const rest = all.slice(start, start + limit + 1);
  return page(operation, rest, limit, () => String(start + limit));
}

function decoded(marker: string): string | null {
  try {
    return atob(marker);
  } catch {
    return null;
  }
}
