// What KMS refuses about custom key stores. AWS's texts are not public; these are the first sentences
// of the exceptions' own documentation, with what they leave open filled in.
// https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateCustomKeyStore.html#API_CreateCustomKeyStore_Errors

import type { CustomKeyStore } from "../domain/custom-key-store.ts";
import { KmsError } from "../errors.ts";

export const keyStoreNotFound = () =>
  new KmsError(
    "CustomKeyStoreNotFoundException",
    "KMS cannot find a custom key store with the specified key store name or ID.",
  );

export const nameInUse = (name: string) =>
  new KmsError(
    "CustomKeyStoreNameInUseException",
    `The custom key store name ${name} is already assigned to another custom key store in the account.`,
  );

export const hasKeys = ({ id }: CustomKeyStore) =>
  new KmsError("CustomKeyStoreHasCMKsException", `The custom key store ${id} contains KMS keys.`);

/** Of an operation that the store's ConnectionState does not fit. */
export const connectionStateUnfit = ({ id, connection }: CustomKeyStore, wanted: string) =>
  new KmsError(
    "CustomKeyStoreInvalidStateException",
    `The ConnectionState of the custom key store ${id} is ${connection.state}; it has to be ${wanted}.`,
  );

export const clusterNotFound = (id: string) =>
  new KmsError(
    "CloudHsmClusterNotFoundException",
    `KMS cannot find the CloudHSM cluster ${id}. Retry the request with a different cluster ID.`,
  );

export const clusterNotActive = (id: string) =>
  new KmsError(
    "CloudHsmClusterNotActiveException",
    `The CloudHSM cluster ${id} is not active. Initialize and activate the cluster and try the command again.`,
  );

export const clusterNeedsHsms = (id: string, hsms: 1 | 2) =>
  new KmsError(
    "CloudHsmClusterInvalidConfigurationException",
    hsms === 1
      ? `The CloudHSM cluster ${id} must contain at least one active HSM.`
      : `The CloudHSM cluster ${id} must have at least two active HSMs, each in a different Availability Zone.`,
  );

export const clusterInUse = (id: string) =>
  new KmsError(
    "CloudHsmClusterInUseException",
    `The CloudHSM cluster ${id} is already associated with a custom key store in the account, ` +
      "or it shares a backup history with one that is.",
  );

export const clusterNotRelated = (id: string) =>
  new KmsError(
    "CloudHsmClusterNotRelatedException",
    `The CloudHSM cluster ${id} does not share a backup history with the original cluster.`,
  );

export const incorrectTrustAnchor = (id: string) =>
  new KmsError(
    "IncorrectTrustAnchorException",
    `The trust anchor certificate in the request is not that of the CloudHSM cluster ${id}.`,
  );

export const uriInUse = (uri: string) =>
  new KmsError(
    "XksProxyUriInUseException",
    `${uri} is already associated with another external key store in this Region.`,
  );

export const uriEndpointInUse = (uriEndpoint: string) =>
  new KmsError(
    "XksProxyUriEndpointInUseException",
    `The XksProxyUriEndpoint ${uriEndpoint} is already associated with another external key store in this Region.`,
  );

export const endpointServiceInUse = (name: string) =>
  new KmsError(
    "XksProxyVpcEndpointServiceInUseException",
    `The VPC endpoint service ${name} is already associated with another external key store in this Region.`,
  );

export const endpointServiceNotFound = (name: string) =>
  new KmsError(
    "XksProxyVpcEndpointServiceNotFoundException",
    `KMS could not find the VPC endpoint service ${name}.`,
  );

export const endpointServiceInvalid = (name: string) =>
  new KmsError(
    "XksProxyVpcEndpointServiceInvalidConfigurationException",
    `The configuration of the VPC endpoint service ${name} does not fulfill the requirements for an external key store.`,
  );

export const externalKeyInUse = (xksKeyId: string) =>
  new KmsError(
    "XksKeyAlreadyInUseException",
    `The external key ${xksKeyId} is already associated with another KMS key in this external key store.`,
  );
