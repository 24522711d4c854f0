/** A short, stable hash of plain data: equal values give equal text whatever the order of their keys. */
import { hash } from 'node:crypto';

/** RFC 4648's base32 in lower case: five bits a character, all of them legal in the names of Kubernetes objects. */
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** The first `length` (at most 51) characters of the SHA-256 of `value`, each one of a-z or 2-7. */
export function digest(value: unknown, length: number): string {
  // Plans name thousands of Jobs in each round: no stream is made for a line of text, and no letter that nobody asked for.
  const bytes = hash('sha256', canonicalJson(value), 'buffer').subarray(0, Math.ceil((length * 5) / 8));
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet.charAt((held >> bits) & 31);
    }
  }
  return text.slice(0, length);
}

/** JSON with sorted keys. Keys whose value is undefined are left out, as JSON.stringify does. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const pairs = Object.entries(value)
    .filter(([, entry]) => entry !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry)}`);
  return `{${pairs.join(',')}}`;
}
