import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FolderSpecs } from '../../../../src/adapters/files/folder-source.ts';
import { FakeClock, until } from '../../../support/fake-clock.ts';

const spec = (name: string) => `apiVersion: job-chief/v1\nkind: Queue\nname: ${name}\n`;

function setUp(files: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'job-chief-'));
  for (const [name, text] of Object.entries(files)) write(folder, name, text);
  const clock = new FakeClock();
  const changed: string[] = [];
  const warnings: string[] = [];
  const log = { debug: () => undefined, info: () => undefined, warn: (_fields: object, message: string) => void warnings.push(message), error: () => undefined };
  const specs = new FolderSpecs({ folder, instance: 'default', clock, log, onChange: (id) => changed.push(id) });
  onTestFinished(async () => {
    await specs.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, clock, changed, warnings, specs };
}

function write(folder: string, name: string, text: string): void {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), text);
}

/** Lets looks pass until the condition holds. */
async function look(clock: FakeClock, condition: () => boolean): Promise<void> {
  await until(() => {
    void clock.advance(5_000);
    return condition();
  });
}

test('every YAML file below the folder, in order; hidden ones left out', async () => {
  const { specs, changed } = setUp({ 'b.yaml': spec('b'), 'a.yml': spec('a'), 'deep/c.YAML': spec('c'), 'notes.txt': 'x', '.hidden.yaml': spec('h'), '.git/d.yaml': spec('d'), 'values.yaml': 'image: x\n' });
  expect(specs.synced).toBe(false);
  specs.start();
  await specs.whenSynced;
  expect(specs.ids()).toEqual(['a.yml', 'b.yaml', 'deep/c.YAML']);
  expect(changed).toEqual(['a.yml', 'b.yaml', 'deep/c.YAML']);
  expect([(await specs.look('a.yml')).kind, await specs.look('gone.yaml')]).toEqual(['found', { kind: 'absent' }]);
  expect(specs.get('deep/c.YAML')).toMatchObject({ file: 'deep/c.YAML', objectName: 'c', label: undefined, data: { 'spec.yaml': spec('c') }, source: { kind: 'file', path: 'deep/c.YAML' } });
});

test('changes are told by file: changed, added, gone', async () => {
  const { folder, specs, changed, clock } = setUp({ 'a.yaml': spec('a'), 'b.yaml': spec('b'), 'c.yaml': spec('c') });
  specs.start();
  await specs.whenSynced;
  changed.length = 0;
  write(folder, 'a.yaml', spec('a2'));
  write(folder, 'd.yaml', spec('d'));
  unlinkSync(join(folder, 'b.yaml'));
  await look(clock, () => changed.length >= 3);
  expect(changed.toSorted()).toEqual(['a.yaml', 'b.yaml', 'd.yaml']);
  expect(specs.get('a.yaml')?.data['spec.yaml']).toBe(spec('a2'));
  expect(specs.get('b.yaml')).toBeUndefined();
});

test('a folder that is not there is not an empty one', async () => {
  const { folder, specs, changed, clock, warnings } = setUp({ 'a.yaml': spec('a') });
  specs.start();
  await specs.whenSynced;
  renameSync(folder, `${folder}-away`);
  await look(clock, () => !specs.synced);
  expect(specs.ids()).toEqual(['a.yaml']);
  expect(changed).toEqual(['a.yaml']);
  renameSync(`${folder}-away`, folder);
  await look(clock, () => specs.synced);
  expect(changed).toEqual(['a.yaml']);
  expect(warnings).toEqual(['spec folder cannot be read']);
});

test('a folder that was never there is not synced', async () => {
  const { folder, specs, clock, warnings } = setUp();
  rmSync(folder, { recursive: true });
  specs.start();
  await look(clock, () => warnings.length > 0);
  expect(specs.synced).toBe(false);
  mkdirSync(folder);
  await look(clock, () => specs.synced);
  expect(specs.ids()).toEqual([]);
});

test.skipIf(process.getuid?.() === 0)('a file that must not be read takes synced away and no spec', async () => {
  const { folder, specs, clock } = setUp({ 'a.yaml': spec('a') });
  specs.start();
  await specs.whenSynced;
  chmodSync(join(folder, 'a.yaml'), 0);
  utimesSync(join(folder, 'a.yaml'), 1, 1);
  await look(clock, () => !specs.synced);
  expect(specs.ids()).toEqual(['a.yaml']);
});

test('a mounted ConfigMap is swapped as a whole', async () => {
  const { folder, specs, changed, clock } = setUp();
  write(folder, '..1/a.yaml', spec('a'));
  symlinkSync('..1', join(folder, '..data'));
  symlinkSync('..data/a.yaml', join(folder, 'a.yaml'));
  specs.start();
  await specs.whenSynced;
  expect(specs.ids()).toEqual(['a.yaml']);
  write(folder, '..2/a.yaml', spec('new'));
  symlinkSync('..2', join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  rmSync(join(folder, '..1'), { recursive: true });
  await look(clock, () => changed.length === 2);
  expect(specs.get('a.yaml')?.data['spec.yaml']).toBe(spec('new'));
});

test('a change is noticed without waiting for the next look', async () => {
  const { folder, specs, changed, clock } = setUp({ 'a.yaml': spec('a') });
  specs.start();
  await specs.whenSynced;
  await until(() => clock.pending.length === 1);
  expect(clock.pending).toEqual([5_000]);
  write(folder, 'a.yaml', spec('a2'));
  await until(() => (clock.pending[0] ?? 5_000) < 5_000, 'a hint from the file system');
  await clock.advance(50);
  await until(() => changed.length === 2);
});

test('links that lead back up come to an end', async () => {
  const { folder, specs } = setUp({ 'deep/a.yaml': spec('a') });
  symlinkSync('..', join(folder, 'deep', 'up'));
  specs.start();
  await specs.whenSynced;
  expect(specs.ids()).toContain('deep/a.yaml');
});

test('stop is final', async () => {
  const { specs, clock } = setUp();
  specs.start();
  await specs.whenSynced;
  await specs.stop();
  specs.start();
  expect(clock.pending).toEqual([]);
});
