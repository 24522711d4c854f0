/**
 * The pg-boss library over one schema of one connection, shared by all its queues. It neither migrates nor maintains: the
 * schema is the user's, and so is its supervision. Modes: unopened; open (by one reading of the connection's folder);
 * forgotten (the schema turned out to be another than was learnt), which is unopened again.
 */
import PQueue from 'p-queue';
import type { PgBoss } from 'pg-boss';
import { DatabaseError, quoted } from '../database-error.ts';
import type { Database, Databases } from '../databases.ts';
import { channelsOf } from '../notification-line.ts';
import { absence, inspect, schemaName, versionOf } from '../pg-boss-schema.ts';
import { SourceError } from './problem.ts';

/** The schema version of the library that is built in. It takes no other. */
export const spokenVersion = 43;
/** For messages. */
const library = 'pg-boss 12.35';

export interface OpenBoss {
  readonly boss: PgBoss;
  readonly database: Database;
  /** Name of the schema, as SQL needs it. */
  readonly schema: string;
  /** Where listeners for new jobs of this schema listen. */
  readonly channels: readonly string[];
  /** The table of each queue that was looked at. The library remembers them too, and would go on with one that is gone. */
  readonly tables: Map<string, string>;
}

/** Of the sessions that may write; one is left for leasing, however many messages are settled at a time. */
const settlingAtOnce = 3;

export class BossLink {
  readonly #settling = new PQueue({ concurrency: settlingAtOnce });
  readonly #databases: Databases;
  readonly #connection: string;
  readonly #schema: string | undefined;
  #current: { readonly digest: string; readonly opened: Promise<OpenBoss> } | undefined;
  #closed = false;

  constructor(deps: { readonly databases: Databases; readonly connection: string; readonly schema: string | undefined }) {
    this.#databases = deps.databases;
    this.#connection = deps.connection;
    this.#schema = deps.schema;
  }

  /** The library over the database as it is now; rejects with SourceError or DatabaseError. */
  async open(): Promise<OpenBoss> {
    const database = await this.#databases.open(this.#connection);
    if (this.#closed) throw new SourceError('QueueUnreachable', 'job-chief is stopping');
    if (this.#current?.digest !== database.digest) {
      this.forget();
      this.#current = { digest: database.digest, opened: this.#start(database) };
    }
    const current = this.#current;
    try {
      return await current.opened;
    } catch (error) {
      if (this.#current === current) this.#current = undefined;
      throw error;
    }
  }

  /** Settles something in its turn: a session that is waited for too long counts as a database that does not answer. */
  inTurn<Answer>(settle: () => Promise<Answer>): Promise<Answer> {
    return this.#settling.add(settle);
  }

  /** What was learnt about the schema may be wrong: the next use looks again. */
  forget(): void {
    const opened = this.#current?.opened;
    this.#current = undefined;
    void opened?.then(stop, () => undefined);
  }

  close(): void {
    this.#closed = true;
    this.forget();
  }

  async #start(database: Database): Promise<OpenBoss> {
    const given = this.#schema ?? database.settings.schema;
    const found = await inspect(database, schemaName(given));
    const absent = absence(found, database.settings.database);
    if (absent) throw absent;
    const missing = [...found.missingGrants, ...found.missingVersionGrants];
    if (missing.length > 0) throw new DatabaseError('QueueForbidden', `the role may not use ${quoted(found.schema)}; missing: ${missing.join(' ')}`, '42501');
    assertVersion(found.schema, await versionOf(database, found));
    const schema = quoted(found.schema);
    const { PgBoss } = await import('pg-boss');
    const boss = new PgBoss({
      db: { executeSql: async (text, values) => ({ rows: [...await database.query(text, values)] }) },
      schema,
      supervise: false,
      schedule: false,
      migrate: false,
      createSchema: false,
      queueCacheIntervalSeconds: 30,
    });
    // What fails is answered where it was asked; the rest is the library's own reading of queues, which it repeats.
    boss.on('error', () => undefined);
    try {
      await boss.start();
    } catch (error) {
      await stop({ boss });
      throw error;
    }
    return { boss, database, schema, channels: channelsOf(given), tables: new Map() };
  }
}

async function stop({ boss }: Pick<OpenBoss, 'boss'>): Promise<void> {
  await boss.stop({ graceful: false, close: false }).catch(() => undefined);
}

/** Throws SourceError where the library cannot be used. */
export function assertVersion(schema: string, version: number | undefined): void {
  if (version === spokenVersion) return;
  const found = version === undefined ? 'of an unknown version' : `of version ${version}`;
  const advice = version !== undefined && version < spokenVersion ? `let your workers' pg-boss migrate it` : 'use the job-chief that goes with it';
  throw new SourceError('QueueRefused', `schema ${quoted(schema)} is ${found}; to own messages this job-chief speaks version ${spokenVersion} (${library}) and never migrates: ${advice}, or use drain`);
}
