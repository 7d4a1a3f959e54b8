// What tools/build.mjs writes into the launcher's bundle, so that nothing in package.json or
// wrangler.toml is said a second time here.

export interface BuildFacts {
  readonly version: string;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly durableObjects: readonly { readonly name: string; readonly className: string }[];
}

declare const EDGE_KMS_BUILD: BuildFacts;

/** A function, so that a module which imports this can be loaded, and tested, without a build. */
export const buildFacts = (): BuildFacts => EDGE_KMS_BUILD;
