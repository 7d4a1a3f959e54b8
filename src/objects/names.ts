// The names of Durable Objects. Each begins with the tenant's generation, so that tenants can come,
// go and be made anew under the same name without anything being moved or reached by mistake.

/** The generation of the tenant that is always there. */
export const DEFAULT_GENERATION = "default";

/** The one object of its class. */
export const TENANT_REGISTRY = "registry";

export const keySetName = (generation: string, accountId: string, keyId: string) =>
  `${generation}/${accountId}/${keyId}`;

export const directoryName = (generation: string, accountId: string, region: string) =>
  `${generation}/${accountId}/${region}`;

/** The pool of a key spec's pairs; all tenants share that of the default generation. */
export const keyPairPoolName = (generation: string, keySpec: string) => `${generation}/${keySpec}`;

/** A name taken apart again. */
export interface ObjectName {
  readonly generation: string;
  readonly accountId: string;
  /** The key ID of a key set, the Region of a directory. */
  readonly last: string;
}

/** The parts of an object's own name; every object here is reached by name only. */
export function objectName({ name }: DurableObjectId): ObjectName {
  const [generation, accountId, last] = (name ?? "").split("/");
  if (!generation || !accountId || !last) throw new Error(`an object named ${name}`);
  return { generation, accountId, last };
}

/** The key spec whose pairs a pool holds, from its own name. */
export function keySpecOfPool({ name }: DurableObjectId): string {
  const [generation, keySpec] = (name ?? "").split("/");
  if (!generation || !keySpec) throw new Error(`a pool of key pairs named ${name}`);
  return keySpec;
}
