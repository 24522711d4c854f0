/**
 * What the files of a connection's folder hold, by setting. Values are secrets as a whole: no message here quotes one,
 * since a password in the wrong file would be quoted too.
 */
import { parseDuration } from '../../lib/duration.ts';
import type { ConnectionField } from '../../spec/connection.ts';

/** Cleaned texts; a setting without a file, or with an empty one, is absent. */
export type Values = ReadonlyMap<ConnectionField, string>;

/** A folder that is no connection, with the sentence that says why. Thrown by those who read settings, caught by `readSettings` only. */
export class Broken extends Error {}

/** The value of a setting that must be there. */
export function required(values: Values, field: ConnectionField, otherwise = ' and no `url` that names it'): string {
  const value = values.get(field);
  if (value === undefined) throw new Broken(`the folder has no file \`${field}\`${otherwise}`);
  return value;
}

/** A port, as text. */
export function portOf(text: string, field: 'port' | 'host' = 'port'): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) throw new Broken(field === 'port' ? '`port` must be a number from 1 to 65535' : '`host` names a port that is no number from 1 to 65535');
  return port;
}

/** Milliseconds. `0` needs no unit. */
export function durationOf(text: string, field: ConnectionField): number {
  const milliseconds = text === '0' ? 0 : parseDuration(text);
  if (milliseconds === undefined) throw new Broken(`\`${field}\` must be a duration such as 90s or 30m`);
  return milliseconds;
}

/** Refuses half of what belongs together. */
export function bothOrNone(values: Values, [one, other]: readonly [ConnectionField, ConnectionField]): void {
  if (values.has(one) !== values.has(other)) throw new Broken(`\`${one}\` and \`${other}\` belong together: one of them is missing`);
}

/**
 * The URL, where it is one of these protocols. The error of `new URL` carries its input, password and all: it must not
 * travel.
 */
export function urlOf(text: string, protocol: RegExp, example: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !protocol.test(url.protocol)) throw new Broken(`\`url\` must look like ${example}`);
  return url;
}

/** Host, port, user and password of a URL, and what the caller reads of the rest, decoded. Empty parts are absent. */
export function partsOfUrl(url: URL, rest: (decoded: (text: string) => string) => Readonly<Partial<Record<ConnectionField, string | null>>>): Map<ConnectionField, string> {
  try {
    const parts = {
      host: url.hostname,
      port: url.port,
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      ...rest(decodeURIComponent),
    };
    return new Map(entriesOf(parts).filter(([, value]) => value !== ''));
  } catch {
    throw new Broken('`url` has a % that is not followed by two hexadecimal digits');
  }
}

function entriesOf(parts: Readonly<Partial<Record<ConnectionField, string | null>>>): [ConnectionField, string][] {
  return (Object.entries(parts) as [ConnectionField, string | null][]).map(([field, value]) => [field, value ?? '']);
}
