// The index of retirable grants as a directory without a platform keeps it.

import {
  type GrantedKey,
  type GrantPosition,
  type ListedGrant,
  type RetirableGrant,
  type RetirableGrants,
  wentWithKey,
} from "../../src/domain/retirable-grant.ts";

const nameOf = ({ accountId, keyId }: { accountId: string; keyId: string }) =>
  `${accountId}/${keyId}`;

export class MemoryRetirableGrants {
  readonly #keys = new Map<string, GrantedKey>();
  readonly #grants = new Map<string, RetirableGrant>();

  fork(): MemoryRetirableGrants {
    const other = new MemoryRetirableGrants();
    for (const [name, key] of this.#keys) other.#keys.set(name, key);
    for (const [name, grant] of this.#grants) other.#grants.set(name, grant);
    return other;
  }

  at(now: number): RetirableGrants {
    return {
      ofPrincipal: (principal, after, limit) => this.#listed(now, principal, after).slice(0, limit),
      put: (about) => ("grantId" in about ? this.#putGrant(about) : this.#putKey(about)),
    };
  }

  #listed(now: number, principal: string, after: GrantPosition | null): readonly ListedGrant[] {
    const start = after ? `${nameOf(after)}/${after.grantId}` : "";
    return [...this.#grants]
      .filter(([name]) => name > start)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, { grant, keyCreatedAt, ...of }]) => {
        const key = this.#keys.get(nameOf(of));
        const live =
          key?.present &&
          key.createdAt === keyCreatedAt &&
          (key.goneAt === null || key.goneAt > now);
        return live && grant?.retiringPrincipal === principal ? [{ ...of, grant }] : [];
      });
  }

  #putKey(told: GrantedKey): void {
    const known = this.#keys.get(nameOf(told));
    if (known && known.version >= told.version) return;
    this.#keys.set(nameOf(told), told);
    for (const [name, grant] of this.#grants) {
      if (nameOf(grant) === nameOf(told) && wentWithKey(grant, told)) this.#grants.delete(name);
    }
  }

  #putGrant(told: RetirableGrant): void {
    const name = `${nameOf(told)}/${told.grantId}`;
    const known = this.#grants.get(name);
    const key = this.#keys.get(nameOf(told));
    if (key && wentWithKey(told, key)) return;
    if (!known || known.version < told.version) this.#grants.set(name, told);
  }
}
