// Addresses and ranges in CIDR notation, IPv4 and IPv6, for the conditions on aws:SourceIp.
// https://www.rfc-editor.org/rfc/rfc4632 and https://www.rfc-editor.org/rfc/rfc4291#section-2.2

/** An address's bytes, 4 or 16, and how many of its bits count. */
interface Range {
  readonly bytes: readonly number[];
  readonly bits: number;
}

/** A range, an address alone being one of its own; null for what is neither. */
export function rangeOf(text: string): Range | null {
  const [address = "", prefix, more] = text.split("/", 3);
  const bytes = addressBytes(address);
  if (!bytes || more !== undefined) return null;
  if (prefix === undefined) return { bytes, bits: bytes.length * 8 };
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bytes.length * 8) return null;
  return { bytes, bits: Number(prefix) };
}

/** Whether an address lies in the range. */
export function isWithin(address: string, { bytes, bits }: Range): boolean {
  const own = addressBytes(address);
  if (own?.length !== bytes.length) return false;
  return own.every((byte, at) => {
    const counting = Math.min(Math.max(bits - at * 8, 0), 8);
    const mask = (0xff << (8 - counting)) & 0xff;
    return (byte & mask) === ((bytes[at] ?? 0) & mask);
  });
}

/** The bytes of an address; an IPv4 address written as an IPv6 one has four. */
function addressBytes(text: string): number[] | null {
  if (!text.includes(":")) return ipv4Bytes(text);
  const bytes = ipv6Bytes(text);
  const mapped = bytes?.every((byte, at) => at >= 12 || byte === (at < 10 ? 0 : 0xff));
  return mapped ? (bytes?.slice(12) ?? null) : bytes;
}

function ipv4Bytes(text: string): number[] | null {
  const parts = text.split(".");
  const isAddress = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part));
  const bytes = parts.map(Number);
  return isAddress && bytes.every((byte) => byte < 256) ? bytes : null;
}

function ipv6Bytes(text: string): number[] | null {
  const sides = text.split("::");
  if (sides.length > 2) return null;
  const [head, tail = []] = sides.map((side) => (side === "" ? [] : groupBytes(side)));
  if (!head || !tail) return null;
  const missing = 16 - head.length - tail.length;
  if (sides.length === 1 ? missing !== 0 : missing < 2) return null;
  return [...head, ...Array<number>(missing).fill(0), ...tail];
}

/** The bytes of groups between colons, of which the last may be an IPv4 address. */
function groupBytes(text: string): number[] | null {
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [at, group] of groups.entries()) {
    const ipv4 = at === groups.length - 1 && group.includes(".") ? ipv4Bytes(group) : null;
    if (ipv4) bytes.push(...ipv4);
    else if (/^[0-9a-f]{1,4}$/i.test(group))
      bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff);
    else return null;
  }
  return bytes;
}
