// The part of node:crypto that is used here; the Workers runtime types do not describe it.
declare module "node:crypto" {
  export function createHash(algorithm: "sha256"): {
    update(data: Uint8Array): { digest(): Uint8Array<ArrayBuffer> };
  };
}
