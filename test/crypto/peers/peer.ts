// Another implementation that is asked for a second opinion.

/**
 * Requests and answers are words: an operation, names of AWS KMS, and bytes in hex, `-` for none.
 *
 *   generate <key spec>                         private key (PKCS #8), public key (SPKI)
 *   sign <algorithm> <private> <message>        signature
 *   verify <algorithm> <public> <message> <s>   true or false
 *   encrypt <algorithm> <public> <plaintext>    ciphertext
 *   decrypt <algorithm> <private> <ciphertext>  plaintext
 *   wrap <algorithm> <public> <key material>    wrapped key material
 *   mac <algorithm> <key> <message>             MAC
 *   derive <private> <public>                   shared secret
 *   encapsulate <public>                        shared secret, ciphertext
 *   decapsulate <private> <ciphertext>          shared secret
 *   mu <public> <message>                       ML-DSA's message representative
 *   seal <cipher> <key> <iv> <data> <plaintext> ciphertext and tag of AES or SM4 in GCM
 *   unseal <cipher> <key> <iv> <data> <sealed>  plaintext, or false
 */
export interface Peer {
  ask(...words: readonly string[]): Promise<string>;
  stop(): void;
}
