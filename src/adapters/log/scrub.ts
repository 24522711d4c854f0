/**
 * Makes any value safe to log. A list of paths, as loggers offer it, misses what is nested one level deeper than
 * somebody thought of; this goes by the name of the key at any depth, and cuts what is long.
 */

/** Written in place of what may be a secret. */
export const redacted = '[redacted]';

/** Keys whose values are never logged, whatever they hold. Compared in lower case without `-` and `_`. */
const secretKey = /pass(word|wd|phrase)?$|secrets?$|tokens?$|credentials?$|apikey|accesskey|privatekey|clientkey|authorization|cookie|signature|connectionstring|dsn$/;
/** Keys of things that users fill: environments, payloads, whole objects. */
const bulkKeys = new Set(['env', 'envfrom', 'environment', 'data', 'stringdata', 'binarydata', 'payload', 'body', 'requestbody', 'responsebody', 'headers', 'manifest']);

const limits = { depth: 6, entries: 50, text: 4_096, stack: 8_192 };

/** A plain copy without secrets, cycles and long texts. */
export function scrub(value: unknown): unknown {
  return scrubValue(value, []);
}

function scrubValue(value: unknown, above: readonly object[]): unknown {
  if (typeof value === 'string') return scrubText(value);
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return '[function]';
  return typeof value === 'object' && value !== null ? scrubObject(value, above) : value;
}

/** `above`: the objects around this one, for cycles and depth. */
function scrubObject(value: object, above: readonly object[]): unknown {
  if (above.includes(value)) return '[circular]';
  if (above.length >= limits.depth) return '[too deep]';
  const below = [...above, value];
  if (value instanceof Error) return scrubError(value, below);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Map) return scrubEntries([...value].map(([key, entry]) => [String(key), entry]), below);
  if (value instanceof Set) return scrubList([...value], below);
  return Array.isArray(value) ? scrubList(value, below) : scrubEntries(Object.entries(value), below);
}

function scrubList(values: readonly unknown[], above: readonly object[]): unknown[] {
  const shown = values.slice(0, limits.entries).map((entry) => scrubNamed(entry, above));
  return values.length > limits.entries ? [...shown, `[${values.length - limits.entries} more]`] : shown;
}

/** Kubernetes writes environments as lists of {name, value}: there the name decides about the value. */
function scrubNamed(entry: unknown, above: readonly object[]): unknown {
  if (typeof entry !== 'object' || entry === null || !('name' in entry) || !('value' in entry)) return scrubValue(entry, above);
  return typeof entry.name === 'string' && isSecret(entry.name) ? { name: entry.name, value: redacted } : scrubValue(entry, above);
}

function scrubEntries(entries: readonly (readonly [string, unknown])[], above: readonly object[]): object {
  return Object.fromEntries(entries.slice(0, limits.entries).map(([key, entry]) => [key, isSecret(key) && entry !== undefined ? redacted : scrubValue(entry, above)]));
}

function isSecret(key: string): boolean {
  const plain = key.toLowerCase().replace(/[-_.]/g, '');
  return secretKey.test(plain) || bulkKeys.has(plain);
}

/**
 * What an error says about itself, and its cause. Not its other properties: libraries hang requests, responses and
 * connection settings on their errors.
 */
function scrubError(error: Error, above: readonly object[]): object {
  const code = 'code' in error && (typeof error.code === 'string' || typeof error.code === 'number') ? error.code : undefined;
  return {
    type: error.name,
    message: scrubText(error.message),
    ...(code !== undefined && { code }),
    ...(error.stack !== undefined && { stack: scrubText(error.stack, limits.stack) }),
    ...(error.cause !== undefined && { cause: scrubValue(error.cause, above) }),
    ...(error instanceof AggregateError && { errors: scrubList(error.errors, above) }),
  };
}

/** Passwords in URLs, bearer tokens and `password=…` in connection strings, wherever in the text they stand. */
export function scrubText(text: string, longest = limits.text): string {
  // All of them have one of these in them, and most texts are names.
  const clean = /[\s=:]/.test(text) ? withoutSecrets(text) : text;
  return clean.length > longest ? `${clean.slice(0, longest)}… (${clean.length - longest} more characters)` : clean;
}

function withoutSecrets(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s/]*@/gi, `$1:${redacted}@`)
    .replace(/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${redacted}`)
    .replace(/\b(pass(?:word|wd)?|secret|token|api_?key)(\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&"']+)/gi, `$1$2${redacted}`);
}
