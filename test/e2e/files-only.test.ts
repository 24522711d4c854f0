/** components/files-only: specs are files of a mounted ConfigMap, and job-chief has no right on any. */
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { noRealPods } from '../support/cluster.ts';
import { eventually } from './support/eventually.ts';
import { useSite, type Site } from './support/site.ts';
import { eager, stubborn, worker } from './support/specs.ts';
import { hasEnded } from './support/witness.ts';

const spec = (name: string, job: object): string =>
  stringify({ apiVersion: 'job-chief/v1', kind: 'Queue', name, source: { pgBoss: { connection: 'main', queue: name } }, drain: eager, injectConnection: true, job });

async function installWith(site: Site, files: Readonly<Record<string, string>>): Promise<void> {
  await site.install({
    components: ['files-only'],
    config: { specs: { source: 'folder', folder: '/etc/job-chief/specs' } },
    generators: [{ name: 'job-chief-specs', files: Object.keys(files) }],
    files,
  });
  await site.refreshMounts();
}

describe.skipIf(noRealPods !== undefined)('specs from files', () => {
  const site = useSite({ name: 'files', enforce: 'restricted' }, (opened) => installWith(opened, { 'from-file.yaml': spec('from-file', worker(100)) }));

  it('need no right on ConfigMaps', async () => {
    const account = `system:serviceaccount:${site().namespace}:job-chief`;
    const may = (...args: string[]): Promise<boolean> => site().kubectl('auth', 'can-i', ...args, '--as', account).then(() => true, () => false);
    expect(await may('create', 'jobs')).toBe(true);
    for (const verb of ['get', 'list', 'watch', 'patch']) expect(await may(verb, 'configmaps'), verb).toBe(false);
  });

  it('drain a queue, change, and end their Jobs when they go', async () => {
    await site().send('from-file', 5);
    await site().drained('from-file', 5);
    const [first] = await site().jobs('from-file');
    expect(first?.metadata.ownerReferences ?? []).toEqual([]);

    const [pod] = await site().controllers();
    await installWith(site(), { 'from-file.yaml': spec('from-file', worker(50)), 'second.yaml': spec('second', stubborn(1)) });
    await site().send('second', 1);
    await site().running('second');
    await site().send('from-file', 5);
    await site().drained('from-file', 10);
    const hashes = (await site().jobs('from-file')).map(({ metadata }) => metadata.annotations?.['job-chief/spec-hash']);
    expect(new Set(hashes).size).toBe(2);

    await installWith(site(), { 'from-file.yaml': spec('from-file', worker(50)) });
    await eventually(async () => {
      const jobs = await site().jobs('second');
      expect(jobs.map(hasEnded)).toEqual([true]);
      expect(JSON.parse(jobs[0]?.metadata.annotations?.['job-chief/outcome'] ?? '{}')).toMatchObject({ outcome: 'errored', reason: 'SpecDeleted' });
    });
    // All that without a restart, and without a single refusal.
    expect((await site().controllers()).map(({ metadata }) => metadata.uid)).toEqual([pod?.metadata.uid]);
    expect((await site().ask('/metrics')).body).not.toMatch(/rest_client_requests_total\{code="403"/);
  });
});
