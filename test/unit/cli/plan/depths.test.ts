import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { queueDepths } from '../../../../src/cli/plan/depths.ts';
import type { DepthDemand } from '../../../../src/plan/action.ts';
import { pgBossSource } from '../../../support/sources.ts';

let folder: string | undefined;
afterEach(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true });
  folder = undefined;
});

async function configured(text: string): Promise<string> {
  folder = await mkdtemp(path.join(tmpdir(), 'job-chief-depths-'));
  const file = path.join(folder, 'config.yaml');
  await writeFile(file, text);
  return file;
}

const demand: DepthDemand = { kind: 'depth', question: 'after nothing', source: pgBossSource('q'), upTo: 4, every: 10_000 };

describe('queueDepths', () => {
  it('does not know what a connection without a folder would say', async () => {
    const { depth, close } = await queueDepths(await configured('connections: {main: {folder: /nowhere}}\n'));
    expect(await depth(demand)).toMatchObject({ kind: 'unknown', reason: 'ConnectionUnknown' });
    expect(await depth({ ...demand, source: pgBossSource('q', { connection: 'other' }) })).toMatchObject({ kind: 'unknown', reason: 'ConnectionUnknown', message: expect.stringContaining('other') as string });
    await close();
  });

  it('complains of a configuration that cannot be used', async () => {
    await expect(queueDepths(await configured('connection: {}\n'))).rejects.toThrow(/unknown/);
  });
});
