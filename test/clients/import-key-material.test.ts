// Importing key material as AWS's guide tells to: the AWS CLI, and OpenSSL to wrap with.
// https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-encrypt-key-material.html

import { expect, onTestFinished } from "vitest";
import { moveClock, testAccount } from "../support/clients.ts";
import { startRaw } from "../support/servers.ts";
import { program, run, temporaryFolder, testWith } from "./programs.ts";

const bash = program("bash");
const testShell = testWith(
  bash,
  program("aws"),
  program("openssl"),
  program("base64"),
  program("od"),
);

/** Shell functions for the steps that both stories take. */
const steps = `
set -euo pipefail
parameters() { # key, algorithm, wrapping key spec: leaves wrapping-key.bin and import-token.bin
  aws kms get-parameters-for-import --key-id "$1" --wrapping-algorithm "$2" --wrapping-key-spec "$3" \\
    --query '[PublicKey,ImportToken]' --output text > parameters.txt
  cut -f1 parameters.txt | base64 -d > wrapping-key.bin
  cut -f2 parameters.txt | base64 -d > import-token.bin
}
rsa_wrap() { # input, output
  openssl pkeyutl -encrypt -in "$1" -out "$2" -inkey wrapping-key.bin -keyform DER -pubin \\
    -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256
}
import() { # key, and what else the command takes
  aws kms import-key-material --key-id "$1" --encrypted-key-material fileb://wrapped.bin \\
    --import-token fileb://import-token.bin "\${@:2}"
}
`;

async function newShell() {
  const server = await startRaw({ movableClock: true });
  onTestFinished(server.stop);
  const cwd = temporaryFolder();
  const environment = {
    AWS_ENDPOINT_URL_KMS: server.url,
    AWS_ACCESS_KEY_ID: testAccount,
    AWS_SECRET_ACCESS_KEY: "edge-kms",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_CONFIG_FILE: `${cwd}/none`,
    AWS_SHARED_CREDENTIALS_FILE: `${cwd}/none`,
    AWS_PAGER: "",
  };
  return {
    server,
    sh: (script: string) => run(bash.found ?? "", ["-c", steps + script], { cwd, environment }),
  };
}

testShell(
  "a symmetric key: wrapped by RSAES_OAEP_SHA_256, until a date",
  async () => {
    const { server, sh } = await newShell();
    const { now } = await moveClock(server.url, "PT0S");
    const validTo = new Date(now.getTime() + 3_600_000).toISOString();
    const imported = await sh(`
      aws kms create-key --origin EXTERNAL --query KeyMetadata.KeyId --output text > key-id
      openssl rand -out key-material.bin 32
      parameters "$(cat key-id)" RSAES_OAEP_SHA_256 RSA_3072
      rsa_wrap key-material.bin wrapped.bin
      import "$(cat key-id)" --expiration-model KEY_MATERIAL_EXPIRES --valid-to ${validTo} > /dev/null
      printf hello > plain.txt
      aws kms encrypt --key-id "$(cat key-id)" --plaintext fileb://plain.txt \\
        --query CiphertextBlob --output text | base64 -d > cipher.bin
      aws kms decrypt --ciphertext-blob fileb://cipher.bin --query Plaintext --output text | base64 -d
    `);
    expect(imported).toEqual({ code: 0, stderr: "", stdout: "hello" });
    await moveClock(server.url, "PT1H");
    const expired = await sh("aws kms decrypt --ciphertext-blob fileb://cipher.bin");
    expect(expired.stderr).toMatch(
      /\(KMSInvalidStateException\) when calling the Decrypt operation: arn:\S+ is pending import\./,
    );
    // The same token and bytes, for ever this time.
    const again = await sh(`
      import "$(cat key-id)" --expiration-model KEY_MATERIAL_DOES_NOT_EXPIRE > /dev/null
      aws kms decrypt --ciphertext-blob fileb://cipher.bin --query Plaintext --output text | base64 -d
    `);
    expect(again).toEqual({ code: 0, stderr: "", stdout: "hello" });
    await moveClock(server.url, "P1D");
    const late = await sh('import "$(cat key-id)" --expiration-model KEY_MATERIAL_DOES_NOT_EXPIRE');
    expect(late.stderr).toContain("(ExpiredImportTokenException)");
  },
  60_000,
);

testShell(
  "an RSA private key: wrapped by RSA_AES_KEY_WRAP_SHA_256, and it verifies what it signed at home",
  async () => {
    const { sh } = await newShell();
    const story = await sh(`
      aws kms create-key --origin EXTERNAL --key-spec RSA_2048 --key-usage SIGN_VERIFY \\
        --query KeyMetadata.KeyId --output text > key-id
      openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out private.pem 2> /dev/null
      openssl pkcs8 -topk8 -nocrypt -in private.pem -outform der -out private.der
      openssl rand -out aes-key.bin 32
      parameters "$(cat key-id)" RSA_AES_KEY_WRAP_SHA_256 RSA_4096
      rsa_wrap aes-key.bin wrapped-aes.bin
      openssl enc -id-aes256-wrap-pad -iv A65959A6 -in private.der -out wrapped-key.bin \\
        -K "$(od -An -v -tx1 aes-key.bin | tr -d ' \\n')"
      cat wrapped-aes.bin wrapped-key.bin > wrapped.bin
      import "$(cat key-id)" --expiration-model KEY_MATERIAL_DOES_NOT_EXPIRE > /dev/null
      printf 'signed at home' > message.txt
      openssl dgst -sha256 -sign private.pem -out signature.bin message.txt
      aws kms verify --key-id "$(cat key-id)" --message fileb://message.txt \\
        --signing-algorithm RSASSA_PKCS1_V1_5_SHA_256 --signature fileb://signature.bin \\
        --query SignatureValid
    `);
    expect(story).toEqual({ code: 0, stderr: "", stdout: "true\n" });
  },
  60_000,
);
