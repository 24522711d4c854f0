import { describe, expect, it } from 'vitest';
import { jobs } from '../../src/simulation/objects.ts';
import { plannedFaults } from '../../src/simulation/fault-plans.ts';
import { hour, minute, second, useScenes } from '../support/scene.ts';

const stage = useScenes();

describe('giving up on a Job', () => {
  it('ends it and keeps it as the record, with its pods gone', async () => {
    const scene = stage({ spec: { timeout: '1m' }, pod: { runs: hour, stopsAfter: 20 * second } });
    scene.queue.send(1);
    await scene.world.run(70 * second);
    expect(scene.status()).toMatchObject({ state: 'Ending', reason: 'JobEnding' });
    expect(scene.status().message).toContain('still running after its timeout');
    await scene.world.run(30 * second);
    const [job] = scene.births;
    expect(scene.verdict(job?.name)).toBe('Failed');
    expect(scene.outcome(job?.name)).toMatchObject({ phase: 'final', outcome: 'failed', reason: 'Timeout' });
    expect(scene.livingPods()).toEqual([]);
    expect(scene.births).toHaveLength(1);
    expect(scene.requests(({ method }) => method === 'DELETE')).toEqual([]);
  });

  it('waits for pods that need their whole grace period before the next Job', async () => {
    const scene = stage({ spec: { timeout: '1m', drain: { waitAfter: { failed: '0s' } } }, pod: { runs: hour, stopsAfter: hour } });
    scene.queue.send(1);
    await scene.world.runUntil(() => scene.births.length === 2);
    expect(scene.births[1]?.at ?? 0).toBeGreaterThan(90);
    expect(scene.births[1]?.at ?? 0).toBeLessThan(100);
  });

  it('of a Job that completes in the same moment counts as whatever the cluster made of it', async () => {
    // Containers that end from 3 s before the timeout to just after it: the Job controller says so a second or two later.
    const seen = new Set<string>();
    for (let before = 3000; before >= -200; before -= 200) {
      const scene = stage({ spec: { timeout: '1m' }, pod: { runs: minute - before } });
      scene.queue.send(1);
      await scene.world.run(80 * second);
      const [job] = scene.births;
      const pair = `${scene.verdict(job?.name)} ${scene.outcome(job?.name)?.outcome ?? 'nothing'}`;
      expect(['Complete succeeded', 'Failed failed']).toContain(pair);
      seen.add(pair);
    }
    expect(seen.size).toBe(2);
  });

  it('after its Complete condition was announced changes nothing', async () => {
    const scene = stage({ pod: { runs: 10 * second } });
    scene.queue.send(1);
    await scene.world.runUntil(() => scene.job?.status.conditions?.some(({ type }) => type === 'SuccessCriteriaMet') === true);
    const name = scene.births[0]?.name ?? '';
    const ending = JSON.stringify({ phase: 'ending', outcome: 'failed', reason: 'Timeout', message: 'too late' });
    scene.world.cluster.registry.update(jobs, name, (object) => ({ ...object, spec: { ...(object['spec'] as object), activeDeadlineSeconds: 1 }, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, 'job-chief/outcome': ending } } }));
    await scene.world.run(5 * second);
    expect(scene.verdict(name)).toBe('Complete');
    expect(scene.outcome(name)).toMatchObject({ phase: 'final', outcome: 'succeeded' });
  });

  it('is carried through when the controller is killed right after it', async () => {
    const scene = stage({ spec: { timeout: '1m' }, pod: { runs: hour, stopsAfter: 25 * second } });
    scene.queue.send(1);
    const name = (): string => scene.births[0]?.name ?? '';
    await scene.world.runUntil(() => scene.outcome(name())?.phase === 'ending');
    await scene.restart();
    await scene.world.run(minute);
    expect(scene.outcome(name())).toMatchObject({ phase: 'final', outcome: 'failed', reason: 'Timeout' });
  });

  it('is repeated until it gets through', async () => {
    const scene = stage({ spec: { timeout: '1m' }, pod: { runs: hour }, controller: 'none' });
    scene.startWith(plannedFaults([{ when: ({ method, path }) => method === 'PATCH' && path.includes('/jobs/'), fault: { kind: 'status', code: 500 }, times: 5 }]));
    scene.queue.send(1);
    await scene.world.run(80 * second);
    expect(scene.outcome(scene.births[0]?.name)).toMatchObject({ reason: 'Timeout' });
    expect(scene.verdict(scene.births[0]?.name)).toBe('Failed');
  });
});
