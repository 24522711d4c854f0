import { describe, expect, it } from 'vitest';
import type { CallDemand } from '../../src/plan/action.ts';
import type { CallAnswer, DeletionHook } from '../../src/reconcile/ports.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { kept, runJobs } from '../support/history.ts';
import { minute, second, type Scene, useScenes } from '../support/scene.ts';
import { chain, useWorkflows } from '../support/workflow-scene.ts';

const stage = useScenes();
const stageWorkflow = useWorkflows();
const url = 'https://hooks.example/jobs';
const one = { retention: { succeeded: { count: 1 }, failed: { count: 1 } }, beforeDelete: { url } };

/** Somebody who is told, and answers as the test says. */
class Hook implements DeletionHook {
  readonly calls: CallDemand[] = [];
  answer: CallAnswer | 'silence' = { kind: 'accepted' };
  call(demand: CallDemand): Promise<CallAnswer> {
    this.calls.push(demand);
    return this.answer === 'silence' ? new Promise(() => undefined) : Promise.resolve(this.answer);
  }
  get names(): unknown[] {
    return this.calls.map(({ body }) => body['name']);
  }
}

const queueScene = (hook: Hook, spec: JsonObject = one): Scene => stage({ spec, pod: { runs: second }, controller: { engine: { hook } } });

describe('a Job that somebody is to be told of before it goes', () => {
  it('goes when the call is accepted, with all that is known of it', async () => {
    const hook = new Hook();
    const scene = queueScene(hook);
    await runJobs(scene, 3, 5 * minute);
    expect(kept(scene)).toEqual([3]);
    expect(hook.names).toEqual(scene.births.slice(0, 2).map(({ name }) => name));
    expect(hook.calls[0]).toMatchObject({ id: scene.births[0]?.uid, url, timeout: 10_000, body: { kind: 'Job', uid: scene.births[0]?.uid, spec: { kind: 'queue', name: 'thumbnails' }, outcome: 'succeeded', reason: 'Completed', startedAt: expect.stringMatching(/Z$/) as string, finishedAt: expect.stringMatching(/Z$/) as string } });
  });

  it('stays while the call fails, less and less often, and the status says why', async () => {
    const hook = new Hook();
    hook.answer = { kind: 'failed', message: 'HTTP 503' };
    const scene = queueScene(hook);
    await runJobs(scene, 2, 5 * minute);
    expect(kept(scene)).toEqual([1, 2]);
    expect(hook.calls.length).toBeGreaterThan(3);
    expect(hook.calls.length).toBeLessThan(12);
    expect(scene.status().conditions).toContainEqual({ type: 'BeforeDelete', status: 'False', reason: 'BeforeDeleteFailed', message: '1 Job stays, since the call before its deletion fails: HTTP 503' });
    hook.answer = { kind: 'accepted' };
    await scene.world.run(15 * minute);
    expect(kept(scene)).toEqual([2]);
    expect(scene.status().conditions.map(({ type }) => type)).not.toContain('BeforeDelete');
  });

  it('is told of again by the next process, and the queue never waits for it', async () => {
    const hook = new Hook();
    hook.answer = 'silence';
    const scene = queueScene(hook);
    await runJobs(scene, 2, 5 * minute);
    expect([kept(scene), hook.calls.length]).toEqual([[1, 2], 1]);
    scene.controller?.kill();
    hook.answer = { kind: 'accepted' };
    scene.start({ engine: { hook } });
    await runJobs(scene, 1, 5 * minute);
    expect(kept(scene)).toEqual([3]);
    expect(hook.calls.slice(0, 2).map(({ id }) => id)).toEqual([scene.births[0]?.uid, scene.births[0]?.uid]);
  });

  it('is told of after its spec has gone, as the Job itself remembers', async () => {
    const hook = new Hook();
    const scene = queueScene(hook, { ...one, onSpecDelete: 'finish', retention: { succeeded: { count: 0 }, failed: { count: 0 } } });
    await runJobs(scene, 1, 5 * minute);
    expect(hook.calls).toEqual([]);
    scene.world.deleteConfigMap('thumbnails');
    await scene.world.run(5 * minute);
    expect([kept(scene), hook.names]).toEqual([[], [scene.births[0]?.name]]);
  });

  it('stays where nobody can be called at all', async () => {
    const scene = stage({ spec: one, pod: { runs: second } });
    await runJobs(scene, 2, 5 * minute);
    expect(kept(scene)).toEqual([1, 2]);
  });
});

describe('a run that somebody is to be told of before it goes', () => {
  it('goes with its Jobs when the call is accepted', async () => {
    const hook = new Hook();
    hook.answer = { kind: 'failed', message: 'no answer within 10 s' };
    const spec = { ...one, trigger: { schedules: ['*/10 * * * *'], timeZone: 'Etc/UTC' }, steps: chain('a'), outputs: {} };
    const scene = stageWorkflow({ spec, controller: { engine: { hook } } });
    await scene.world.run(35 * minute);
    expect(scene.runs).toHaveLength(3);
    expect(scene.world.status('etl')).toMatchObject({ conditions: expect.arrayContaining([{ type: 'BeforeDelete', status: 'False', reason: 'BeforeDeleteFailed', message: '2 runs stay, since the call before its deletion fails: no answer within 10 s' }]) as unknown[] });
    hook.answer = { kind: 'accepted' };
    const [first] = scene.records;
    await scene.world.run(12 * minute);
    expect(scene.runs.length).toBeLessThanOrEqual(2);
    expect(hook.calls.at(-1)).toMatchObject({ url, body: { kind: 'Run', spec: { kind: 'workflow', name: 'etl' }, outcome: 'succeeded', failedSteps: [] } });
    expect(hook.calls.map(({ id }) => id)).toContain(first?.metadata.uid);
  });
});
