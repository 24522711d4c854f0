/**
 * Access to the databases of all connections: at most two read-only sessions for each, or four that may write, opened when
 * asked, closed when idle. A rotated Secret gets a new pool; a refused login reads the folder again and tries once more.
 *
 * Modes of a pool: open; plain (behind a pooler that refuses session settings at log-in); waiting (the last log-in
 * failed, and until its back-off is over every question is answered with that failure).
 */
import pg from 'pg';
import { sleep, type Clock } from '../../lib/clock.ts';
import type { Connections } from './connections.ts';
import { DatabaseError, explain } from './database-error.ts';
import type { PgBossSettings } from './pg-boss-settings.ts';
import { clientConfig, type Access } from './session.ts';

/** One connection as it is now. */
export interface Database {
  readonly settings: PgBossSettings;
  /** Changes with the settings: what was learnt about the database before may be wrong. */
  readonly digest: string;
  /** Rejects with DatabaseError only. */
  query(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}
export type Row = Readonly<Record<string, unknown>>;

interface Entry {
  readonly digest: string;
  readonly settings: PgBossSettings;
  pool: pg.Pool;
  plain: boolean;
  failure: { readonly error: DatabaseError; readonly count: number; readonly until: number } | undefined;
}

const firstPause = 250;
const longestPause = 5_000;
const longestGoodbye = 5_000;

export class Databases {
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #access: Access;
  readonly #entries = new Map<string, Entry>();
  readonly #ending = new Set<Promise<void>>();
  #closed = false;

  /** `access`: `read` unless something else is said. */
  constructor(deps: { connections: Connections; clock: Clock; access?: Access }) {
    this.#connections = deps.connections;
    this.#clock = deps.clock;
    this.#access = deps.access ?? 'read';
  }

  /** The database behind a connection; rejects with DatabaseError where the configuration or the folder is wrong. */
  async open(connection: string): Promise<Database> {
    const entry = await this.#entry(connection, false);
    return { settings: entry.settings, digest: entry.digest, query: (text, values) => this.#query(connection, text, values ?? []) };
  }

  /** Reads the folder again now, whatever its age: a login was refused. */
  async reread(connection: string): Promise<void> {
    await this.#connections.reread(connection);
  }

  /** Ends all sessions; waits for queries under way, but not for a peer that is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const entry of this.#entries.values()) this.#end(entry.pool);
    this.#entries.clear();
    const ended = new AbortController();
    const enough = sleep(this.#clock, longestGoodbye, ended.signal).catch(() => undefined);
    await Promise.race([Promise.all(this.#ending), enough]);
    ended.abort();
  }

  async #query(connection: string, text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    const entry = await this.#entry(connection, false);
    const client = await this.#login(connection, entry);
    let failed = true;
    try {
      const result = await client.query<Row>(text, [...values]);
      failed = false;
      return result.rows;
    } catch (error) {
      throw explain(error, entry.settings);
    } finally {
      client.release(failed);
    }
  }

  async #login(connection: string, entry: Entry): Promise<pg.PoolClient> {
    if (entry.failure && this.#clock.monotonic() < entry.failure.until) throw entry.failure.error;
    try {
      return await this.#connect(entry);
    } catch (error) {
      const explained = explain(error, entry.settings);
      if (explained.problem === 'QueueForbidden') {
        const current = await this.#entry(connection, true);
        if (current.digest !== entry.digest) return this.#login(connection, current);
      }
      this.#note(entry, explained);
      throw explained;
    }
  }

  async #connect(entry: Entry): Promise<pg.PoolClient> {
    const { pool } = entry;
    try {
      const client = await pool.connect();
      entry.failure = undefined;
      return client;
    } catch (error) {
      if (entry.pool !== pool) return this.#connect(entry);
      if (entry.plain || !refusesSettings(error)) throw error;
      this.#end(pool);
      entry.plain = true;
      entry.pool = newPool(entry.settings, true, this.#access);
      return this.#connect(entry);
    }
  }

  /** Several failed log-ins of one moment are one failure. */
  #note(entry: Entry, error: DatabaseError): void {
    const now = this.#clock.monotonic();
    if (entry.failure && now < entry.failure.until) return;
    const count = (entry.failure?.count ?? 0) + 1;
    entry.failure = { error, count, until: now + Math.min(longestPause, firstPause * 2 ** Math.min(count - 1, 10)) };
  }

  async #entry(connection: string, reread: boolean): Promise<Entry> {
    const state = reread ? await this.#connections.reread(connection) : await this.#connections.get(connection);
    if (this.#closed) throw new DatabaseError('QueueUnreachable', 'job-chief is stopping');
    if (state.kind === 'unknown') throw new DatabaseError('ConnectionUnknown', state.message);
    if (state.kind === 'broken') throw new DatabaseError('ConnectionUnknown', `connection \`${connection}\` cannot be used: ${state.message}`);
    const { settings } = state;
    if (settings.type !== 'pgBoss') throw new DatabaseError('QueueUnsupported', `connection \`${connection}\` is of type ${settings.type}, and leads to no queues of pg-boss`);
    const known = this.#entries.get(connection);
    if (known?.digest === state.digest) return known;
    if (known) this.#end(known.pool);
    const entry: Entry = { digest: state.digest, settings, pool: newPool(settings, false, this.#access), plain: false, failure: undefined };
    this.#entries.set(connection, entry);
    return entry;
  }

  #end(pool: pg.Pool): void {
    const ended = pool.end().finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }
}

function newPool(settings: PgBossSettings, plain: boolean, access: Access): pg.Pool {
  const pool = new pg.Pool({ ...clientConfig(settings, plain, access), max: access === 'read' ? 2 : 4, idleTimeoutMillis: 60_000, maxLifetimeSeconds: 3_600, allowExitOnIdle: true });
  // An idle session that the server ends is no news: the next question opens another. Unheard, it would end the process.
  pool.on('error', () => undefined);
  // The pool hears idle sessions only. One that ends in the middle of a question fails the question, and says so once more.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** PgBouncer knows few settings at log-in and refuses the rest. */
export function refusesSettings(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '08P01' && error.message.includes('startup parameter');
}
