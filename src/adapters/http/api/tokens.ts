/**
 * Bearer tokens from files that the operator mounts: a folder with a file ROLE.NAME for each token, as the keys of a
 * Secret, or one file with lines `ROLE NAME TOKEN`. A token stands there as it is, or as `sha256:HEX`. Read again on use,
 * at most every few seconds: a token that was taken away is refused soon after.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../lib/clock.ts';
import { asMessage } from '../../../lib/show.ts';
import type { Log } from '../../../reconcile/ports.ts';
import { asRole, roles, type Caller } from './role.ts';

export interface TokenDeps {
  /** A folder or a file; undefined: there are no tokens. */
  readonly path: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

interface Token {
  readonly caller: Caller;
  readonly digest: Buffer;
}

interface Reading {
  readonly tokens: readonly Token[];
  /** What is not used, and why. Never a token. */
  readonly warnings: readonly string[];
}

/** Milliseconds for which a reading is good enough. */
const freshFor = 5_000;
/** Characters: shorter ones can be guessed. */
const shortest = 16;
const largestFile = 1024 * 1024;

export class Tokens {
  readonly #deps: TokenDeps;
  #reading: Reading = { tokens: [], warnings: [] };
  #readAt: number | undefined;
  #pending: Promise<void> | undefined;

  constructor(deps: TokenDeps) {
    this.#deps = deps;
  }

  /** Whose token this is. Every token is compared, whichever fits: the time tells nothing. */
  async find(token: string): Promise<Caller | undefined> {
    await this.refresh();
    const digest = digestOf(token);
    let found: Caller | undefined;
    for (const known of this.#reading.tokens) if (timingSafeEqual(known.digest, digest)) found ??= known.caller;
    return found;
  }

  /** How many there are; for a warning at the start. */
  get count(): number {
    return this.#reading.tokens.length;
  }

  /** Reads the files, unless they were read just now. */
  async refresh(): Promise<void> {
    const { path, clock } = this.#deps;
    if (path === undefined) return;
    if (this.#readAt !== undefined && clock.monotonic() - this.#readAt < freshFor) return;
    this.#pending ??= this.#read(path).finally(() => { this.#pending = undefined; });
    await this.#pending;
  }

  async #read(path: string): Promise<void> {
    const { clock, log } = this.#deps;
    // What cannot be read grants nothing: an old reading would let in who was shut out.
    const reading = await readTokens(path).catch((error: unknown): Reading => ({ tokens: [], warnings: [`tokens cannot be read: ${asMessage(error)}`] }));
    for (const because of reading.warnings.filter((warning) => !this.#reading.warnings.includes(warning))) log.warn({ code: 'TokenUnusable', because }, 'tokens of the HTTP API');
    this.#reading = reading;
    this.#readAt = clock.monotonic();
  }
}

async function readTokens(path: string): Promise<Reading> {
  if ((await stat(path)).isDirectory()) return readFolder(path);
  return fromLines((await readFile(path, 'utf8')).slice(0, largestFile));
}

/** The kubelet swaps the folder under our feet: once more, then. */
async function readFolder(path: string): Promise<Reading> {
  try {
    return await fromFolder(path);
  } catch {
    return fromFolder(path);
  }
}

async function fromFolder(path: string): Promise<Reading> {
  const folder = await realpath(join(path, '..data')).catch(() => path);
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name).sort();
  const found = await Promise.all(names.map(async (name) => {
    const [role = '', ...rest] = name.split('.');
    return tokenFrom({ role, name: rest.join('.'), text: (await readFile(join(folder, name), 'utf8')).slice(0, largestFile).trim() }, `the file "${name}"`);
  }));
  return joined(found);
}

function fromLines(text: string): Reading {
  const lines = text.split('\n').map((line, index) => ({ line: line.trim(), at: `line ${index + 1}` })).filter(({ line }) => line !== '' && !line.startsWith('#'));
  return joined(lines.map(({ line, at }) => {
    const [role = '', name = '', token = '', ...more] = line.split(/\s+/u);
    return more.length > 0 || token === '' ? `${at} is not ROLE NAME TOKEN` : tokenFrom({ role, name, text: token }, at);
  }));
}

function tokenFrom({ role: word, name, text }: { readonly role: string; readonly name: string; readonly text: string }, at: string): Token | string {
  const role = asRole(word);
  if (role === undefined) return `${at} begins with no role: use ${roles.join(', ')}`;
  if (!/^[A-Za-z0-9][-._A-Za-z0-9]{0,62}$/.test(name)) return `${at} has no usable name: at most 63 letters, digits, "-", "_" and "."`;
  const hex = /^sha256:([0-9a-fA-F]{64})$/.exec(text)?.[1];
  if (hex !== undefined) return { caller: { name, role }, digest: Buffer.from(hex, 'hex') };
  if (text.startsWith('sha256:')) return `${at} has a digest that is not 64 hexadecimal digits`;
  if (text.length < shortest) return `${at} has a token of less than ${shortest} characters, which could be guessed`;
  if (/\s/u.test(text)) return `${at} has a token with blanks in it`;
  return { caller: { name, role }, digest: digestOf(text) };
}

function joined(found: readonly (Token | string)[]): Reading {
  return { tokens: found.filter((one) => typeof one !== 'string'), warnings: found.filter((one) => typeof one === 'string') };
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
