import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Connections } from '../../../../src/adapters/queues/connections.ts';
import { Databases } from '../../../../src/adapters/queues/databases.ts';
import { channelsOf } from '../../../../src/adapters/queues/notification-line.ts';
import type { Clock } from '../../../../src/lib/clock.ts';
import { aDefinition, collectingLog } from '../../../support/depth.ts';

let folder = '';
let now = 0;
let lines: string[] = [];
const clock: Clock = { now: () => now, monotonic: () => now, timer: () => ({ cancel: () => undefined }) };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'job-chief-connections-'));
  now = 0;
  lines = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

function aRegistry(changes: Parameters<typeof aDefinition>[1] = {}): Connections {
  return new Connections({ definitions: new Map([['main', aDefinition(folder, changes)]]), clock, log: collectingLog(lines) });
}

/** As the kubelet does it: a new folder, and a symlink swapped in one step. */
function mount(version: string, files: Record<string, string>): void {
  mkdirSync(join(folder, version));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, version, name), text);
  symlinkSync(version, join(folder, '..new'));
  renameSync(join(folder, '..new'), join(folder, '..data'));
}

describe('connections', () => {
  it('are read from what the symlink of a mounted Secret leads to, and again after it was swapped', async () => {
    const registry = aRegistry();
    mount('..v1', { host: 'one', user: 'u' });
    expect(await registry.get('main')).toMatchObject({ settings: { host: 'one' } });
    mount('..v2', { host: 'two', user: 'u' });
    rmSync(join(folder, '..v1'), { recursive: true });
    now = 1_999;
    expect(await registry.get('main')).toMatchObject({ settings: { host: 'one' } });
    now = 2_000;
    expect(await registry.get('main')).toMatchObject({ settings: { host: 'two' } });
    expect(lines.map((line) => (JSON.parse(line) as { code: string }).code)).toEqual(['ConnectionChanged']);
  });

  it('are read at once when a login was refused', async () => {
    const registry = aRegistry();
    mount('..v1', { host: 'one', user: 'u', password: 'old' });
    await registry.get('main');
    mount('..v2', { host: 'one', user: 'u', password: 'new' });
    expect(await registry.reread('main')).toMatchObject({ settings: { password: 'new' } });
  });

  it('that are not configured are unknown, with the names that exist', async () => {
    expect(await aRegistry().get('mian')).toEqual({ kind: 'unknown', message: 'there is no connection `mian` in the configuration; it has main' });
  });

  it('without a folder are broken, and heal', async () => {
    const registry = aRegistry({ folder: join(folder, 'later') });
    expect(await registry.get('main')).toMatchObject({ kind: 'broken', message: expect.stringContaining('ENOENT') as string });
    mkdirSync(join(folder, 'later'));
    for (const name of ['host', 'user']) writeFileSync(join(folder, 'later', name), name);
    expect(await registry.reread('main')).toMatchObject({ kind: 'ready' });
    expect(lines).toHaveLength(1);
  });

  it('warn about a file that means nothing once', async () => {
    const registry = aRegistry();
    mount('..v1', { host: 'h', user: 'u', passwrod: 'secret' });
    await registry.load();
    await registry.reread('main');
    expect(lines).toEqual([JSON.stringify({ code: 'ConnectionFileUnknown', connection: 'main', file: 'passwrod', message: 'file in the folder of a connection is not used' })]);
  });

  it('tell plans what they are', async () => {
    const registry = aRegistry({ injectable: true, secretName: 's' });
    mount('..v1', { host: 'h', user: 'u', schema: 'jobs', password: 'secret' });
    await registry.load();
    const facts = registry.facts();
    expect(facts.get('main')).toMatchObject({ type: 'pgBoss', injectable: true, schema: 'jobs' });
    expect(JSON.stringify([...facts])).not.toContain('secret"');
  });

  it('of RabbitMQ are no database', async () => {
    const registry = aRegistry({ type: 'amqp' });
    mount('..v1', { host: 'h', user: 'u', password: 'p' });
    await expect(new Databases({ connections: registry, clock }).open('main')).rejects.toMatchObject({
      problem: 'QueueUnsupported',
      message: 'connection `main` is of type amqp, and leads to no queues of pg-boss',
    });
  });
});

describe('the channel of a schema', () => {
  it('is the one that pg-boss sends on', () => {
    expect(channelsOf(undefined)).toEqual(['pgboss_454650302e472074f72063fd']);
    expect(channelsOf('"pgboss"')).toEqual(channelsOf('pgboss'));
  });

  it('is not known where the spelling of the application is not', () => {
    expect(channelsOf('Mixed')).toHaveLength(2);
    expect(channelsOf('"Mixed"')).toEqual(channelsOf('Mixed'));
  });
});
