/** Queues of a real pg-boss, and the whole chain that leases from them under a role with no more rights than documented. */
import { PgBoss, type Queue } from 'pg-boss';
import { systemClock } from '../../src/lib/clock.ts';
import { Connections } from '../../src/adapters/queues/connections.ts';
import { Databases } from '../../src/adapters/queues/databases.ts';
import { Notifications } from '../../src/adapters/queues/notifications.ts';
import { PgBossMessages } from '../../src/adapters/queues/pg-boss-messages/pg-boss-messages.ts';
import { aDefinition, collectingLog } from './depth.ts';
import { connectionFolder, createRole, filesFor, type PostgresForTests } from './postgres.ts';

/** What docs/messages-pg-boss.md tells an administrator to grant. `role` and `schema` as SQL. */
export function grantsFor(role: string, schema = 'pgboss'): string {
  return `GRANT USAGE ON SCHEMA ${schema} TO ${role};
GRANT SELECT ON ${schema}.version, ${schema}.queue TO ${role};
GRANT SELECT, INSERT, UPDATE ON ${schema}.job TO ${role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ${schema}.job_common TO ${role};`;
}

export interface PgBossPlace {
  readonly database: string;
  /** Of the workers: may do everything, and supervises when it is told to. */
  readonly boss: PgBoss;
  readonly login: { readonly user: string; readonly password: string };
  [Symbol.asyncDispose](): Promise<void>;
}

/** A database with pg-boss in it, and a role that may lease from it. */
export async function pgBossPlace(postgres: PostgresForTests, user: string): Promise<PgBossPlace> {
  const { server } = postgres;
  const database = await postgres.database();
  const boss = new PgBoss({ connectionString: server.urlOf(database), max: 4, supervise: false, schedule: false, monitorIntervalSeconds: 1 });
  boss.on('error', () => undefined);
  await boss.start();
  const password = await createRole(server, user);
  await server.query(grantsFor(user), database);
  return { database, boss, login: { user, password }, [Symbol.asyncDispose]: () => boss.stop({ graceful: false }) };
}

export interface MessageChain {
  readonly messages: PgBossMessages;
  readonly notifications: Notifications;
  /** Everything that was logged, as JSON lines. */
  readonly lines: string[];
  /** Changes the files of the connection `main`. */
  write(files: Readonly<Record<string, string>>): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** One process, as main builds it, with the connection `main`. */
export function messageChain({ server }: PostgresForTests, { database, login }: Pick<PgBossPlace, 'database' | 'login'>): MessageChain {
  const folder = connectionFolder(filesFor(server, database, login));
  const [lines, clock] = [[] as string[], systemClock];
  const log = collectingLog(lines);
  const connections = new Connections({ definitions: new Map([['main', aDefinition(folder.folder)]]), clock, log });
  const [reading, writing] = [new Databases({ connections, clock }), new Databases({ connections, clock, access: 'write' })];
  const notifications = new Notifications({ databases: reading, clock, log, onWake: (source) => { messages.woke(source); } });
  const messages: PgBossMessages = new PgBossMessages({ databases: writing, clock, log, wakes: notifications });
  return {
    messages,
    notifications,
    lines,
    write: (files) => { folder.write(files); },
    [Symbol.asyncDispose]: async () => {
      await messages.close();
      await notifications.close();
      await Promise.all([reading.close(), writing.close()]);
      folder[Symbol.dispose]();
    },
  };
}

export type QueueOptions = Omit<Queue, 'name'>;
