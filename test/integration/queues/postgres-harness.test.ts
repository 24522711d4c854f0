/** The PostgreSQL that tests and the demo use: it keeps its data, it listens where it should, and it leaves nothing behind. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { describe, expect, it, vi } from 'vitest';
import { startPostgres } from '../../../hack/dev/postgres.ts';

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('PostgreSQL without installation', () => {
  it('keeps data, port and password over a restart, and in a folder of ours over the end of its process', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'job-chief-kept-'));
    try {
      const first = await startPostgres({ dataDir });
      await first.createDatabase('kept');
      await first.query('CREATE TABLE mine AS SELECT 42 AS answer', 'kept');
      const { url, pid } = first;
      await first.restart();
      expect([first.url, first.pid === pid]).toEqual([url, false]);
      await first[Symbol.asyncDispose]();
      expect(alive(pid ?? 0)).toBe(false);
      await using second = await startPostgres({ dataDir });
      expect(second.password).toBe(first.password);
      expect(await second.query('SELECT answer FROM mine', 'kept')).toEqual([{ answer: 42 }]);
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  it('listens on all addresses only when asked to, with passwords', async () => {
    const address = Object.values(networkInterfaces()).flat().find((candidate) => candidate?.family === 'IPv4' && !candidate.internal)?.address;
    await using everywhere = await startPostgres({ listenAll: true });
    await using here = await startPostgres();
    const connect = async (host: string, port: number, password: string): Promise<unknown> => {
      const client = new pg.Client({ host, port, user: 'postgres', password });
      try {
        await client.connect();
        return 'connected';
      } catch (error) {
        return error instanceof Error && 'code' in error ? error.code : error;
      } finally {
        await client.end();
      }
    };
    if (address === undefined) return;
    expect(await connect(address, everywhere.port, everywhere.password)).toBe('connected');
    expect(await connect(address, everywhere.port, 'wrong')).toBe('28P01');
    expect(await connect(address, here.port, here.password)).toBe('ECONNREFUSED');
  });

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('leaves no process and no folder when its parent ends by %s', async (signal) => {
    const script = `
      import { startPostgres } from ${JSON.stringify(new URL('../../../hack/dev/postgres.ts', import.meta.url).href)};
      const server = await startPostgres();
      const [{ data_directory }] = await server.query('SHOW data_directory');
      console.log(JSON.stringify({ pid: server.pid, folder: data_directory }));
      setInterval(() => undefined, 1_000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
    const { pid, folder } = JSON.parse(line) as { pid: number; folder: string };
    expect([alive(pid), existsSync(folder)]).toEqual([true, true]);
    parent.kill(signal);
    await vi.waitFor(() => expect([alive(pid), existsSync(join(folder, '..'))]).toEqual([false, false]), 20_000);
  });
});
