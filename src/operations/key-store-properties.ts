// The properties of custom key stores: their form, and which of them each type of store takes, needs,
// and lets change while it is connected.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateCustomKeyStore.html

import { assert } from "../assert.ts";
import {
  type CloudHsmKeyStore,
  type CustomKeyStore,
  type CustomKeyStoreType,
  connectivities,
  type ProxyConfiguration,
} from "../domain/custom-key-store.ts";
import { validation } from "../errors.ts";
import type { Caller } from "./operation.ts";
import { type InputOf, oneOf, required, structure, text } from "./shape.ts";

export const customKeyStoreId = text({ min: 1, max: 64 });
export const customKeyStoreName = text({ min: 1, max: 256 });

/** What CreateCustomKeyStore and UpdateCustomKeyStore both take. */
const properties = {
  CloudHsmClusterId: text({ min: 19, max: 24, pattern: "cluster-[2-7a-zA-Z]{11,16}" }),
  KeyStorePassword: text({ min: 7, max: 32, sensitive: true }),
  XksProxyUriEndpoint: text({ min: 10, max: 128, pattern: "^https://[a-zA-Z0-9.-]+$" }),
  XksProxyUriPath: text({
    min: 10,
    max: 128,
    pattern: "^(/[a-zA-Z0-9\\/_-]+/kms/xks/v\\d{1,2})$|^(/kms/xks/v\\d{1,2})$",
  }),
  XksProxyVpcEndpointServiceName: text({
    min: 20,
    max: 64,
    pattern: "^(com|eu)\\.amazonaws\\.vpce\\.([a-z]+-){2,3}\\d+\\.vpce-svc-[0-9a-z]+$",
  }),
  XksProxyVpcEndpointServiceOwner: text({ min: 12, max: 12, pattern: "[0-9]{12}" }),
  XksProxyAuthenticationCredential: structure({
    AccessKeyId: required(text({ min: 20, max: 30, pattern: "^[A-Z2-7]+$", sensitive: true })),
    RawSecretAccessKey: required(
      text({ min: 43, max: 64, pattern: "^[a-zA-Z0-9\\/+=]+$", sensitive: true }),
    ),
  }),
  XksProxyConnectivity: oneOf(connectivities),
};

export const createInput = {
  CustomKeyStoreName: required(customKeyStoreName),
  ...properties,
  TrustAnchorCertificate: text({ min: 1, max: 5000 }),
  CustomKeyStoreType: oneOf(["AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"]),
};

export const updateInput = {
  CustomKeyStoreId: required(customKeyStoreId),
  NewCustomKeyStoreName: customKeyStoreName,
  ...properties,
};

export type CreateInput = InputOf<typeof createInput>;
export type UpdateInput = InputOf<typeof updateInput>;

type Property = Exclude<
  keyof (CreateInput & UpdateInput),
  "CustomKeyStoreName" | "CustomKeyStoreType" | "CustomKeyStoreId" | "NewCustomKeyStoreName"
>;

interface Row {
  readonly property: Property;
  readonly type: CustomKeyStoreType;
  /** Whether a new store needs it; `vpc` where its proxy is behind a VPC endpoint service. */
  readonly required: boolean | "vpc";
  /** Whether it may change while the store is connected. */
  readonly whileConnected: boolean;
}

const row = (
  type: CustomKeyStoreType,
  property: Property,
  required: boolean | "vpc",
  whileConnected: boolean,
): Row => ({ type, property, required, whileConnected });

// biome-ignore format: a table reads best as one
const rows: readonly Row[] = [
  //                                                              required  while connected
  row("AWS_CLOUDHSM",       "CloudHsmClusterId",                  true,     false),
  row("AWS_CLOUDHSM",       "TrustAnchorCertificate",             true,     false),
  row("AWS_CLOUDHSM",       "KeyStorePassword",                   true,     false),
  row("EXTERNAL_KEY_STORE", "XksProxyConnectivity",               true,     false),
  row("EXTERNAL_KEY_STORE", "XksProxyUriEndpoint",                true,     false),
  row("EXTERNAL_KEY_STORE", "XksProxyUriPath",                    true,     true),
  row("EXTERNAL_KEY_STORE", "XksProxyAuthenticationCredential",   true,     true),
  row("EXTERNAL_KEY_STORE", "XksProxyVpcEndpointServiceName",     "vpc",    false),
  row("EXTERNAL_KEY_STORE", "XksProxyVpcEndpointServiceOwner",    false,    false),
];

const given = (input: object, { property }: Row) =>
  (input as Record<string, unknown>)[property] !== undefined;

function requireOwnProperties(input: object, type: CustomKeyStoreType): void {
  const foreign = rows.find((each) => each.type !== type && given(input, each));
  if (foreign) {
    throw validation(`${foreign.property} is not valid for a custom key store of type ${type}.`);
  }
}

/** What a new store is to be made of, before anything is looked up. */
export type Accepted =
  | ({ readonly type: "AWS_CLOUDHSM" } & Pick<
      CloudHsmKeyStore,
      "clusterId" | "trustAnchorCertificate" | "password"
    >)
  | { readonly type: "EXTERNAL_KEY_STORE"; readonly proxy: ProxyConfiguration };

/** The properties of a request for a new store. Throws ValidationException. */
export function acceptedProperties(input: CreateInput, { accountId }: Caller): Accepted {
  const type = input.CustomKeyStoreType ?? "AWS_CLOUDHSM";
  requireOwnProperties(input, type);
  const vpc = input.XksProxyConnectivity === "VPC_ENDPOINT_SERVICE";
  const missing = rows.find(
    (each) =>
      each.type === type && (each.required === "vpc" ? vpc : each.required) && !given(input, each),
  );
  if (missing) {
    throw validation(`${missing.property} is required for a custom key store of type ${type}.`);
  }
  if (type === "AWS_CLOUDHSM") {
    const { CloudHsmClusterId, TrustAnchorCertificate, KeyStorePassword } = input;
    assert(CloudHsmClusterId && TrustAnchorCertificate && KeyStorePassword, "nothing is missing");
    return {
      type,
      clusterId: CloudHsmClusterId,
      trustAnchorCertificate: TrustAnchorCertificate,
      password: KeyStorePassword,
    };
  }
  const { XksProxyConnectivity, XksProxyUriEndpoint, XksProxyUriPath } = input;
  const { XksProxyAuthenticationCredential: credential } = input;
  assert(
    XksProxyConnectivity && XksProxyUriEndpoint && XksProxyUriPath && credential,
    "nothing is missing",
  );
  const proxy = {
    connectivity: XksProxyConnectivity,
    uriEndpoint: XksProxyUriEndpoint,
    uriPath: XksProxyUriPath,
    credential: proxyCredential(credential),
    vpcEndpointServiceName: input.XksProxyVpcEndpointServiceName ?? null,
    vpcEndpointServiceOwner: input.XksProxyVpcEndpointServiceOwner ?? (vpc ? accountId : null),
  };
  requireConnectivity(proxy);
  return { type, proxy };
}

/** A public endpoint has no VPC endpoint service, and the other kind has one. */
export function requireConnectivity(proxy: ProxyConfiguration): void {
  const { connectivity, vpcEndpointServiceName, vpcEndpointServiceOwner } = proxy;
  if (connectivity === "VPC_ENDPOINT_SERVICE") {
    if (vpcEndpointServiceName !== null) return;
    throw validation(
      `XksProxyVpcEndpointServiceName is required for the connectivity ${connectivity}.`,
    );
  }
  if (vpcEndpointServiceName === null && vpcEndpointServiceOwner === null) return;
  const property =
    vpcEndpointServiceName === null
      ? "XksProxyVpcEndpointServiceOwner"
      : "XksProxyVpcEndpointServiceName";
  throw validation(`${property} is not valid for the connectivity ${connectivity}.`);
}

export const proxyCredential = ({
  AccessKeyId,
  RawSecretAccessKey,
}: NonNullable<CreateInput["XksProxyAuthenticationCredential"]>) => ({
  accessKeyId: AccessKeyId,
  rawSecretAccessKey: RawSecretAccessKey,
});

/** Which connection states a change has to find: one that is for any time, or DISCONNECTED alone. */
export function acceptedChanges(
  input: UpdateInput,
  { type }: CustomKeyStore,
): { readonly anytime: boolean; readonly disconnected: boolean } {
  requireOwnProperties(input, type);
  const changes = rows.filter((each) => given(input, each));
  return {
    anytime: input.NewCustomKeyStoreName !== undefined || changes.length > 0,
    disconnected: changes.some((each) => !each.whileConnected),
  };
}
