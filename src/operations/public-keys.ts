// The public half of a key pair.
// https://docs.aws.amazon.com/kms/latest/developerguide/download-public-key.html

import { isKeyPairSpec } from "../crypto/key-pair.ts";
import { KmsError } from "../errors.ts";
import { algorithmsOfKey } from "./key-metadata.ts";
import * as members from "./members.ts";
import { use } from "./operation.ts";
import { required } from "./shape.ts";
import { requireKeyPair } from "./usage.ts";

export const publicKeys = {
  GetPublicKey: use({
    input: { KeyId: required(members.keyId), GrantTokens: members.grantTokens },
    aliases: true,
    invalidArn: true,
    use(target) {
      const { set, arn } = target;
      // Recorded on AWS without a text, after the state (floci-io/floci#3968).
      if (!isKeyPairSpec(set.keySpec)) throw new KmsError("UnsupportedOperationException");
      return {
        KeyId: arn,
        PublicKey: requireKeyPair(target).publicKey,
        CustomerMasterKeySpec: set.keySpec,
        KeySpec: set.keySpec,
        KeyUsage: set.keyUsage,
        ...algorithmsOfKey(set),
      };
    },
  }),
};
