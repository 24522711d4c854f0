/**
 * The operator's connections, each a folder of files. A mounted Secret changes under our feet: its folder is read again
 * on use, at most every two seconds, and at once when a login was refused.
 */
import { readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../reconcile/ports.ts';
import type { ConnectionDefinition, ConnectionFacts, ConnectionsByName } from '../../spec/connection.ts';
import { readSettings, type ConnectionReading } from './connection-files.ts';
import { codeOf, messageOf } from './error-text.ts';
import { injectionFor } from './injection.ts';

export type ConnectionState = ConnectionReading | { readonly kind: 'unknown'; readonly message: string };

interface Entry {
  readonly definition: ConnectionDefinition;
  reading: ConnectionReading;
  /** Monotonic time of the last reading; undefined: never read. */
  readAt: number | undefined;
  /** The reading under way, shared by everybody who asks meanwhile. */
  pending: Promise<ConnectionReading> | undefined;
  readonly warned: Set<string>;
}

/** Milliseconds for which a reading is good enough. */
const freshFor = 2_000;
/** A Secret holds at most 1 MiB in all. */
const largestFile = 1024 * 1024;

export class Connections {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #entries: ReadonlyMap<string, Entry>;

  constructor(deps: { definitions: ReadonlyMap<string, ConnectionDefinition>; clock: Clock; log: Log }) {
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#entries = new Map([...deps.definitions].map(([name, definition]) => [name, newEntry(definition)]));
  }

  /** Reads every folder once. Broken ones are logged, and reported again when they are used. */
  async load(): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((name) => this.reread(name)));
  }

  names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** The connection as its folder has it now, give or take two seconds. */
  async get(name: string): Promise<ConnectionState> {
    const entry = this.#entries.get(name);
    if (entry?.readAt !== undefined && this.#clock.monotonic() - entry.readAt < freshFor) return entry.reading;
    return this.reread(name);
  }

  /** The connection as its folder has it now. */
  async reread(name: string): Promise<ConnectionState> {
    const entry = this.#entries.get(name);
    if (!entry) return { kind: 'unknown', message: this.#unknown(name) };
    entry.pending ??= this.#read(name, entry).finally(() => {
      entry.pending = undefined;
    });
    return entry.pending;
  }

  /** What plan and lint may know, by the latest reading of each folder. */
  facts(): ConnectionsByName {
    return new Map([...this.#entries].map(([name, { definition, reading }]) => [name, factsOf(definition, reading)]));
  }

  async #read(name: string, entry: Entry): Promise<ConnectionReading> {
    const reading = await readConnection(entry.definition);
    const before = entry.reading;
    entry.reading = reading;
    entry.readAt = this.#clock.monotonic();
    this.#report(name, entry, before);
    return reading;
  }

  #report(name: string, entry: Entry, before: ConnectionReading): void {
    const { reading, warned } = entry;
    if (reading.kind === 'broken') {
      if (before.kind !== 'broken' || before.message !== reading.message) this.#log.warn({ code: 'ConnectionBroken', connection: name, reason: reading.message }, 'connection cannot be used');
      return;
    }
    if (before.kind === 'ready' && before.digest !== reading.digest) this.#log.info({ code: 'ConnectionChanged', connection: name }, 'connection changed');
    for (const file of reading.unknownFiles.filter((candidate) => !warned.has(candidate))) {
      warned.add(file);
      this.#log.warn({ code: 'ConnectionFileUnknown', connection: name, file }, 'file in the folder of a connection is not used');
    }
  }

  #unknown(name: string): string {
    const known = this.names();
    return `there is no connection \`${name}\` in the configuration; ${known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`}`;
  }
}

function newEntry(definition: ConnectionDefinition): Entry {
  return { definition, reading: { kind: 'broken', message: 'not read yet' }, readAt: undefined, pending: undefined, warned: new Set() };
}

function factsOf(definition: ConnectionDefinition, reading: ConnectionReading): ConnectionFacts {
  const schema = reading.kind === 'ready' && reading.settings.type === 'pgBoss' ? reading.settings.schema : undefined;
  return {
    type: definition.type,
    injectable: definition.injectable,
    ...(schema !== undefined && { schema }),
    injection: injectionFor(definition, reading.kind === 'ready' ? reading.files : undefined),
  };
}

/** Reads and understands a folder; never rejects. */
export async function readConnection(definition: ConnectionDefinition): Promise<ConnectionReading> {
  try {
    return readSettings(await filesOf(definition.folder), definition);
  } catch (error) {
    return { kind: 'broken', message: `its folder ${definition.folder} cannot be read: ${codeOf(error) ?? messageOf(error)}` };
  }
}

/**
 * All files of one moment. The kubelet swaps the symlink `..data` to a new folder and deletes the old one; reading
 * through the resolved folder never mixes two versions, and fails at most once per swap.
 */
async function filesOf(folder: string): Promise<ReadonlyMap<string, string>> {
  try {
    return await filesIn(await snapshotOf(folder));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return filesIn(await snapshotOf(folder));
  }
}

async function snapshotOf(folder: string): Promise<string> {
  try {
    return await realpath(join(folder, '..data'));
  } catch {
    return folder;
  }
}

async function filesIn(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.')).map((entry) => entry.name);
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  return new Map(names.map((name, index) => [name, (texts[index] ?? '').slice(0, largestFile)] as const));
}
