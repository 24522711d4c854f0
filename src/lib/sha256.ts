/** The SHA-256 of bytes. */
import { hash } from 'node:crypto';

/** In hex, lower case. */
export function sha256(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}
