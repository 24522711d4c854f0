/** A real PostgreSQL for a test file: started before its tests, gone after them; each test takes databases of its own. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { startPostgres, type Postgres, type PostgresOptions } from '../../hack/dev/postgres.ts';

export interface PostgresForTests {
  readonly server: Postgres;
  /** Lines that the server logged so far. */
  readonly log: string[];
  /** A new, empty database. */
  database(): Promise<string>;
}

export function usePostgres(options: PostgresOptions = {}): PostgresForTests {
  let server: Postgres | undefined;
  const log: string[] = [];
  let count = 0;
  beforeAll(async () => {
    server = await startPostgres({ ...options, onLog: (line) => log.push(line) });
  });
  afterAll(async () => {
    try {
      if (server?.pid !== undefined) await noSessionsOf(server);
    } finally {
      await server?.[Symbol.asyncDispose]();
    }
  });
  const running = (): Postgres => {
    if (!server) throw new Error('PostgreSQL runs only inside tests');
    return server;
  };
  return {
    log,
    get server() {
      return running();
    },
    database: async () => {
      const name = `test_${(count += 1)}`;
      await running().createDatabase(name);
      return name;
    },
  };
}

/** A session that a test leaves behind is a leak of ours. The server notices the end of a client a little later. */
async function noSessionsOf(server: Postgres): Promise<void> {
  await vi.waitFor(async () => expect(await server.query(`SELECT pid, usename, datname, query FROM pg_stat_activity WHERE application_name = 'job-chief'`)).toEqual([]), 10_000);
}

/** A role that may log in and nothing else; returns its password. */
export async function createRole(server: Postgres, name: string): Promise<string> {
  const password = randomBytes(8).toString('hex');
  await server.query(`CREATE ROLE "${name}" LOGIN PASSWORD '${password}'`);
  return password;
}

/** A folder as a mounted Secret shows it, without the symlinks. */
export function connectionFolder(files: Readonly<Record<string, string>>): { folder: string; write(files: Readonly<Record<string, string>>): void; [Symbol.dispose](): void } {
  const folder = mkdtempSync(join(tmpdir(), 'job-chief-connection-'));
  const write = (entries: Readonly<Record<string, string>>): void => {
    for (const [name, text] of Object.entries(entries)) writeFileSync(join(folder, name), text);
  };
  write(files);
  return { folder, write, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

/** The files of a connection to one database of the server. */
export function filesFor(server: Postgres, database: string, login: { user: string; password: string } = server): Record<string, string> {
  return { host: server.host, port: String(server.port), user: login.user, password: login.password, database };
}
