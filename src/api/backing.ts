// The control API's way to what backs custom key stores: what KMS is to find of a CloudHSM cluster or
// a VPC endpoint service. Such a thing is an account's in a Region;
// the query parameters `account` and `region` say whose, where it is not the standard ones.

import { type Context, Hono } from "hono";
import { clusterStates } from "../domain/cloudhsm-cluster.ts";
import { connectionErrorCodes, endpointServiceStates } from "../domain/custom-key-store.ts";
import { isRegion } from "../domain/region.ts";
import type { Said } from "../objects/key-store-backing.ts";
import { directoryName } from "../objects/names.ts";
import { answer, bodyOf, type ControlEnv } from "./control.ts";

type Kind = Said["kind"];

/** Whether a value is one that a member may have. */
type Check = (value: unknown) => boolean;

const oneOf =
  (values: readonly string[]): Check =>
  (value) =>
    values.includes(value as string);
const text =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === "string" && pattern.test(value);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);

const CLUSTER_ID = /^cluster-[2-7a-zA-Z]{11,16}$/;
/** Those of clusters; the ones of proxies come from proxies. */
const clusterErrors = connectionErrorCodes.filter((code) => !code.startsWith("XKS_"));

/** What may be asked about by which name, and the members that may be said of it. */
const kinds: Readonly<
  Record<Kind, { readonly id: RegExp; readonly members: Readonly<Record<string, Check>> }>
> = {
  cluster: {
    id: CLUSTER_ID,
    members: {
      state: oneOf(clusterStates),
      hsms: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 28,
      certificate: orNull(text(/^[\s\S]{1,5000}$/)),
      password: orNull(text(/^[\s\S]{7,32}$/)),
      backupOf: orNull(text(CLUSTER_ID)),
      connectionError: orNull(oneOf(clusterErrors)),
    },
  },
  endpointService: {
    id: /^(com|eu)\.amazonaws\.vpce\.([a-z]+-){2,3}\d+\.vpce-svc-[0-9a-z]+$/,
    members: { state: oneOf(endpointServiceStates) },
  },
};

/** The routes of one kind: GET reads, POST says. */
export function backing(kind: Kind): Hono<ControlEnv> {
  const routes = new Hono<ControlEnv>();
  routes.get("/:id", async (c) => {
    const found = named(c, kind);
    if ("error" in found) return answer(c, found, 400);
    return answer(c, await found.directory.backing(kind, found.id));
  });
  routes.post("/:id", async (c) => {
    const found = named(c, kind);
    if ("error" in found) return answer(c, found, 400);
    const said = factsIn(await bodyOf(c), kind);
    if ("error" in said) return answer(c, said, 400);
    const shown = await found.directory.sayOfBacking({ kind, id: found.id, facts: said.facts });
    if (!shown) return answer(c, { error: "A cluster cannot be the backup of itself." }, 400);
    return answer(c, shown);
  });
  return routes;
}

function named(c: Context<ControlEnv>, kind: Kind) {
  const settings = c.get("settings");
  const { account = settings.account, region = settings.region } = c.req.query();
  const id = c.req.param("id") ?? "";
  if (!/^\d{12}$/.test(account)) return { error: "account has to be 12 digits." };
  if (!isRegion(region)) return { error: "region has to be a Region with KMS." };
  if (!kinds[kind].id.test(id)) return { error: `${id} is not a well-formed name.` };
  const name = directoryName(c.get("generation"), account, region);
  return { id, directory: c.env.DIRECTORIES.getByName(name) };
}

/** The members of a body that may be said, or what is wrong with it. */
function factsIn(body: unknown, kind: Kind): { facts: object } | { error: string } {
  const { members } = kinds[kind];
  const names = Object.keys(members).join(", ");
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return { error: `Send a JSON object with some of ${names}.` };
  }
  for (const [name, value] of Object.entries(body)) {
    if (!Object.hasOwn(members, name)) return { error: `${name} is not one of ${names}.` };
    if (!members[name]?.(value)) return { error: `${name} has a value that it cannot have.` };
  }
  return { facts: body };
}
