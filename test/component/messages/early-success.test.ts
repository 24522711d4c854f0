/** A message is settled as soon as the containers of its Job have done the work: the Job controller says so a second or two later. */
import { describe, expect, it } from 'vitest';
import type { Transport } from '../../../src/adapters/kubernetes/transport.ts';
import { objectAt, parseJson, stringAt, type JsonObject } from '../../../src/lib/json.ts';
import { outcomeAnnotation } from '../../../src/spec/keys.ts';
import { type MessageScene, messageQueueKinds, useMessageScenes } from '../../support/message-scene.ts';
import { hour, minute, second } from '../../support/scene.ts';

const stage = useMessageScenes();

/** Rules of its own: the Job controller alone can say what success is. */
const judged: JsonObject = { image: 'registry.example/worker:1', podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }] } };
const isMark = (body: unknown): boolean => stringAt(objectAt(objectAt(body, 'metadata'), 'annotations'), outcomeAnnotation) !== undefined;
const outcomeOf = (scene: MessageScene): unknown => parseJson(scene.world.jobs()[0]?.metadata.annotations?.[outcomeAnnotation]);

describe.each(messageQueueKinds)('a message of %s', (kind) => {
  it('is acknowledged before its Job is finished, and its Job is settled once', async () => {
    const scene = stage({ kind, pod: () => ({ runs: 10 * second }) });
    const [stored] = scene.queue.send({ id: 'a' });
    expect(await scene.world.runUntil(() => stored?.state === 'completed', minute)).toBe(true);
    expect(scene.truth.jobs.map(({ finished }) => finished)).toEqual([undefined]);
    expect(await scene.settled()).toBe(true);
    await scene.world.run(minute);
    expect([scene.truth.jobs.map(({ finished, settled }) => [finished, settled]), stored?.completions]).toEqual([[['Complete', 'completed']], 1]);
  });

  it('waits for the Job controller where the Job has rules of its own', async () => {
    const scene = stage({ kind, spec: { job: judged } });
    const [stored] = scene.queue.send({ id: 'a' });
    expect(await scene.world.runUntil(() => stored?.state === 'completed', minute)).toBe(true);
    expect(scene.truth.jobs.map(({ finished }) => finished)).toEqual(['Complete']);
  });

  it('stays done where the Job controller says otherwise later: that is written down and told, and nothing runs again', async () => {
    // A sidecar that does not stop keeps the pod, and with it the Job, until its deadline.
    const scene = stage({ kind, spec: { timeout: '1m' }, pod: () => ({ runs: 10 * second, phaseAfter: 10 * minute }) });
    scene.queue.send({ id: 'a' });
    expect(await scene.world.runUntil(() => scene.truth.jobs[0]?.finished === 'Failed', 5 * minute)).toBe(true);
    await scene.world.run(hour / 2);
    expect([scene.states, scene.truth.jobs.map(({ settled }) => settled)]).toEqual([['completed'], ['completed']]);
    expect(outcomeOf(scene)).toMatchObject({ outcome: 'succeeded', verdict: expect.stringContaining('DeadlineExceeded') as unknown });
    expect(scene.lines.filter(({ fields, message }) => fields['code'] === 'VerdictDiffers' && message === 'changed the cluster')).toHaveLength(1);
    expect(scene.status().lastRun).toMatchObject({ outcome: 'succeeded' });
  });

  it.each(['before', 'after'] as const)('is acknowledged once all the same where the process dies %s it has written down that the work is done', async (side) => {
    const scene = stage({ kind, controller: 'none', queue: { limit: 10 * minute }, pod: () => ({ runs: 10 * second }) });
    let kills = 0;
    const dies = async (transport: Transport, request: Parameters<Transport['request']>[0]): ReturnType<Transport['request']> => {
      if (kills > 0 || !isMark(request.body)) return transport.request(request);
      kills += 1;
      if (side === 'after') await transport.request(request);
      scene.controller?.kill();
      scene.world.clock.timer(5 * second, () => { scene.start(); });
      return new Promise(() => undefined);
    };
    scene.start({ wrap: (transport) => ({ request: (request) => dies(transport, request), stream: (request) => transport.stream(request) }) });
    scene.queue.send({ id: 'a' });
    expect(await scene.settled(30 * hour)).toBe(true);
    expect([kills, scene.states, scene.truth.jobs.map(({ settled }) => settled), scene.truth.atEnd()]).toEqual([1, ['completed'], ['completed'], []]);
  });
});

describe('60 messages of a second each, ten at once', () => {
  it('are settled a second or two sooner so, and the next ones start sooner', async () => {
    const [early, late] = [await load({}), await load({ job: judged })];
    console.info(`acknowledged ${(early.after / 1000).toFixed(2)} s after the containers' end and all in ${(early.all / 1000).toFixed(1)} s; by the Job controller's verdict ${(late.after / 1000).toFixed(2)} s and ${(late.all / 1000).toFixed(1)} s`);
    expect(early.after).toBeLessThan(late.after - second);
    expect(early.all).toBeLessThan(late.all * 0.8);
  });

  async function load(spec: JsonObject): Promise<{ readonly after: number; readonly all: number }> {
    const scene = stage({ kind: 'pgBoss', spec: { concurrency: { max: 10 }, ...spec }, pod: () => ({ runs: second }) });
    await scene.world.run(5 * second);
    const [begun, told] = [scene.world.clock.now(), new Map<string, number>()];
    scene.queue.onTold(({ message: { id } }) => { told.set(id, scene.world.clock.now()); });
    scene.queue.sendMany(60);
    expect(await scene.settled(hour)).toBe(true);
    const waits = scene.truth.jobs.map(({ id, startedAt = 0 }) => (told.get(id) ?? Infinity) - startedAt - second);
    return { after: waits.reduce((sum, wait) => sum + wait, 0) / waits.length, all: Math.max(...told.values()) - begun };
  }
});
