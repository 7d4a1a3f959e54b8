// What policies ask about that neither the request nor the key set says.

import { isRegion } from "../domain/region.ts";
import type { KeyAddress } from "../operations/key-address.ts";
import type { Caller } from "../operations/operation.ts";
import type { Fetched } from "../operations/permission.ts";

/** The names of a key's aliases in a Region. */
export type AliasesOf = (address: KeyAddress, region: string) => Promise<readonly string[]>;

/**
 * The aliases of the key, and of the replica that UpdatePrimaryRegion needs permission on: for a
 * caller whose policies name them. Nobody else is to wait for a directory; key policies cannot
 * name aliases.
 */
export async function fetchedFor(
  caller: Caller,
  address: KeyAddress,
  input: object,
  aliasesOf: AliasesOf,
): Promise<Fetched> {
  const { PrimaryRegion: other } = input as { readonly PrimaryRegion?: string };
  const regions = [caller.region, ...(other !== undefined && isRegion(other) ? [other] : [])];
  const names = await Promise.all(regions.map((region) => aliasesOf(address, region)));
  return { aliases: Object.fromEntries(regions.map((region, at) => [region, names[at] ?? []])) };
}
