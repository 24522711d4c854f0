/**
 * kill -9 at every single request of a controller that makes batches, to the API server and to the queue, before it is sent
 * and after it took effect: no message is lost, none is in two batches that were let go, none is settled wrongly, and what
 * was left behind on the way goes. Enumerated, not sampled.
 */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import type { KillPoint } from '../../../src/simulation/process.ts';
import type { PodScript } from '../../../src/simulation/pod-script.ts';
import { type BatchScene, useBatchScenes } from '../../support/batch-scene.ts';
import { messageQueueKinds } from '../../support/message-scene.ts';
import { hour, minute } from '../../support/scene.ts';

const stage = useBatchScenes();
const ids = ['a', 'b', 'c'];

interface Life {
  readonly batch: JsonObject;
  readonly pod: (work: { readonly id: string; readonly attempt: number }) => PodScript;
  /** How often a container may have started for each message; `killed`: once on the way. */
  readonly attempts: (killed: boolean) => Readonly<Record<string, readonly [number, number]>>;
  readonly dead?: readonly string[];
}

const lives: Readonly<Record<string, Life>> = {
  'a batch that succeeds': { batch: { size: 3 }, pod: () => ({ runs: 3_000 }), attempts: () => ({ a: [1, 1], b: [1, 1], c: [1, 1] }) },
  'a batch of which one message is done, one is tried again, and one is dead-lettered': {
    batch: { size: 3, maxWait: '2s', retry: { attempts: 2, delay: '2s' }, deadLetter: { queue: 'dead' } },
    pod: ({ id, attempt }) => ({ runs: 1_000, exit: { code: id === 'c' || (id === 'b' && attempt === 1) ? 3 : 0 } }),
    // Under another lease the tries begin anew.
    attempts: (killed) => ({ a: [1, 1], b: [2, 2], c: [2, killed ? 3 : 2] }),
    dead: ['c'],
  },
  'a batch that is settled when it is let go': { batch: { size: 3, settle: 'onJobCreated' }, pod: () => ({ runs: 3_000 }), attempts: () => ({ a: [1, 1], b: [1, 1], c: [1, 1] }) },
};

describe.each(messageQueueKinds)('kill -9 with a queue of %s', (kind) => {
  async function live({ batch, pod }: Life, point?: KillPoint): Promise<{ scene: BatchScene; requests: number; wrong: string[] }> {
    const scene = stage({ seed: 3, kind, batch, pod, queue: { limit: 20 * minute, mostDeliveries: 8, visibility: 30_000 } });
    const first = scene.controller;
    if (point) scene.killAt(point);
    scene.send(...ids);
    // RabbitMQ does not say whether it took an acknowledgement: after a day it is presumed.
    const limit = kind === 'amqp' ? 26 * hour : 2 * hour;
    const wrong = (await scene.settled(limit)) ? [] : [`not settled after ${limit / hour} h: ${scene.truth.story().join('; ')}`];
    await scene.world.run(2 * minute);
    if (point && first?.alive === true) wrong.push('nothing was killed');
    return { scene, requests: first?.requests ?? 0, wrong: [...wrong, ...scene.truth.atEnd(), ...scene.truth.violations] };
  }

  function wrongEnds({ attempts, dead = [] }: Life, scene: BatchScene, killed: boolean): string[] {
    const counted = Object.entries(attempts(killed)).flatMap(([id, [least, most]]) => {
      const made = scene.truth.attempts(id);
      return made >= least && made <= most ? [] : [`${made} attempts were made for ${id}, and there had to be ${least} to ${most}`];
    });
    const published = [...new Set(scene.dead.messages.map(({ message }) => message.id))];
    return [...counted, ...(scene.states.every((state) => state === 'completed') ? [] : [`the messages are ${scene.states.join(', ')}`]), ...(published.join() === dead.join() ? [] : [`dead letters: ${published.join()}`])];
  }

  it.each(Object.entries(lives))('at every request leads to the same end: %s', { timeout: 600_000 }, async (_name, life) => {
    const calm = await live(life);
    expect([...calm.wrong, ...wrongEnds(life, calm.scene, false)]).toEqual([]);
    expect(calm.requests).toBeGreaterThan(12);
    const different: string[] = [];
    for (let request = 1; request <= calm.requests; request += 1) {
      for (const when of ['before', 'after'] as const) {
        const { scene, wrong } = await live(life, { request, when });
        different.push(...[...wrong, ...wrongEnds(life, scene, true)].map((text) => `killed ${when} request ${request}: ${text}`));
      }
    }
    expect(different).toEqual([]);
  });
});
