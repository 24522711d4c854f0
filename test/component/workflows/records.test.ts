/** Where records cannot be written or read, and how they grow. */
import { describe, expect, it } from 'vitest';
import type { Status } from '../../../src/plan/action.ts';
import * as keys from '../../../src/spec/keys.ts';
import { queueSpec } from '../../support/controller.ts';
import { chain, step, useWorkflows } from '../../support/workflow-scene.ts';

const stage = useWorkflows();

describe('records', () => {
  it('switched off: workflows say so, and queues know nothing of it', async () => {
    const scene = stage({ steps: chain('a'), pods: { '': { runs: 3_600_000 } }, controller: { engine: { records: false } } });
    scene.world.applyConfigMap('thumbnails', queueSpec('thumbnails'));
    scene.world.queue('thumbnails').send(1);
    await scene.world.run(30_000);
    expect(scene.world.status('etl')).toMatchObject({ state: 'Blocked', reason: 'RecordsOff' });
    expect(scene.records).toEqual([]);
    expect(scene.world.jobs()).toHaveLength(1);
  });

  it.each([
    ['read', (verb: string) => verb === 'list' || verb === 'watch'],
    ['written', (verb: string) => verb === 'create'],
  ] as const)('that may not be %s: workflows name the right, without a storm of requests, and begin when it is granted', async (_what, forbidden) => {
    let granted = false;
    // Specs are ConfigMaps too: only the second list, that of records, is refused.
    const scene = stage({ controller: 'none', steps: chain('a') });
    scene.start({ wrap: (transport) => ({
      request: (request) => (refused(request) ? Promise.resolve(answer) : transport.request(request)),
      stream: (request) => transport.stream(request),
    }) });
    const refused = (request: { method: string; path: string; query?: Readonly<Record<string, string>> }): boolean => {
      if (granted || !request.path.endsWith('/configmaps')) return false;
      const verb = request.method === 'POST' ? 'create' : 'list';
      return forbidden(verb) && (verb === 'create' || (request.query?.['labelSelector'] ?? '').startsWith(keys.recordLabel));
    };
    const message = 'configmaps is forbidden: User "system:serviceaccount:default:job-chief" cannot list resource "configmaps" in API group "" in the namespace "default"';
    const answer = { status: 403, headers: {}, body: { kind: 'Status', status: 'Failure', message, reason: 'Forbidden', details: { kind: 'configmaps' }, code: 403 } };
    await scene.world.run(120_000);
    expect(scene.world.status('etl')).toMatchObject({ state: 'Blocked', reason: 'Forbidden' });
    expect((scene.world.status('etl') as Status).message).toContain('configmaps');
    expect(scene.births).toEqual([]);
    expect(scene.world.requests.length).toBeLessThan(120);
    granted = true;
    // A watch that was refused asks again after a growing pause of at most some minutes.
    await scene.finished(900_000);
    expect(scene.run.phase).toBe('Succeeded');
  });

  it('of a run with 2,000 steps stay far below the limit of a ConfigMap', async () => {
    const steps = Array.from({ length: 2000 }, (_, index) => step(`s${index}`));
    const names = steps.map(({ name }) => name as string);
    const scene = stage({ spec: { steps, maxParallel: 100 }, pods: Object.fromEntries(names.map((name) => [name, { startsAfter: 0, runs: 0 }])) });
    await scene.finished();
    expect(scene.births).toHaveLength(2000);
    expect(JSON.stringify(scene.run.object).length).toBeLessThan(600_000);
    expect(Object.values(scene.run.outcomes).every((outcome) => outcome === 'succeeded')).toBe(true);
  }, 120_000);
});
