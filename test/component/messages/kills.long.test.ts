/**
 * kill -9 at every single request of a controller, to the API server and to the queue, before it is sent and after it
 * took effect: no message is lost, none runs twice while its Job is there, none is settled wrongly, and in the end none is
 * in hand. Enumerated, not sampled.
 */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import type { StoredMessage } from '../../../src/simulation/message-queue.ts';
import type { KillPoint } from '../../../src/simulation/process.ts';
import type { PodScript } from '../../../src/simulation/pod-script.ts';
import { hour, minute } from '../../support/scene.ts';
import { type MessageScene, messageQueueKinds, useMessageScenes, type Work } from '../../support/message-scene.ts';

const stage = useMessageScenes();

interface Life {
  readonly body?: string;
  readonly spec?: JsonObject;
  readonly pod?: (work: Work) => PodScript;
  readonly invalid?: (stored: StoredMessage) => boolean;
  /** What is wrong with how it ended; empty: nothing. `killed`: once on the way. */
  readonly wrong: (scene: MessageScene, killed: boolean) => string[];
}

const succeeds = (): PodScript => ({ runs: 3_000 });
const fails = (): PodScript => ({ runs: 1_000, exit: { code: 3 } });

/** Ends as it has to, after so many attempts. */
function ended(scene: MessageScene, { state, attempts: [least, most], dead }: { readonly state: string; readonly attempts: readonly [number, number]; readonly dead: number }): string[] {
  const attempts = scene.truth.attempts('a');
  // A dead letter that was published and not marked is published again: where the queue cannot tell, it is there twice.
  const published = new Set(scene.dead.messages.map(({ message }) => message.id)).size;
  return [
    ...(scene.states[0] === state ? [] : [`the message is ${scene.states[0] ?? 'gone'}, and had to be ${state}`]),
    ...(attempts >= least && attempts <= most ? [] : [`${attempts} attempts were made, and there had to be ${least} to ${most}`]),
    ...(published === dead ? [] : [`${published} dead letters`]),
  ];
}

const lives: Readonly<Record<string, Life>> = {
  'a message that succeeds': { pod: succeeds, wrong: (scene) => ended(scene, { state: 'completed', attempts: [1, 1], dead: 0 }) },
  'a message that fails twice and is dead-lettered': {
    spec: { perMessage: { retry: { attempts: 2, delay: '2s' }, deadLetter: { queue: 'dead' } } },
    pod: fails,
    // Under another lease the tries begin anew.
    wrong: (scene, killed) => ended(scene, { state: 'completed', attempts: [2, killed ? 3 : 2], dead: 1 }),
  },
  'a message that fails and is left to the policy of its queue': {
    pod: ({ attempt }) => (attempt === 1 ? fails() : succeeds()),
    wrong: (scene) => (scene.kind === 'amqp' ? ended(scene, { state: 'dead', attempts: [1, 2], dead: 0 }).filter((text) => !text.startsWith('the message is completed')) : ended(scene, { state: 'completed', attempts: [2, 2], dead: 0 })),
  },
  'a message that is settled when its Job is made': { spec: { perMessage: { settle: 'onJobCreated' } }, pod: succeeds, wrong: (scene) => ended(scene, { state: 'completed', attempts: [1, 1], dead: 0 }) },
  'an invalid message': {
    body: '{"width": "wide"}',
    spec: { perMessage: { schema: { type: 'object', properties: { width: { type: 'integer' } } }, deadLetter: { queue: 'dead' } } },
    invalid: () => true,
    wrong: (scene) => ended(scene, { state: 'completed', attempts: [0, 0], dead: 1 }),
  },
};

describe.each(messageQueueKinds)('kill -9 with a queue of %s', (kind) => {
  async function live({ body = '{"width": 3}', spec = {}, pod = succeeds, invalid = () => false }: Life, point?: KillPoint): Promise<{ scene: MessageScene; requests: number; wrong: string[] }> {
    const scene = stage({ seed: 3, kind, spec, pod, invalid, queue: { limit: 20 * minute, mostDeliveries: 8, visibility: 30_000 } });
    const first = scene.controller;
    if (point) scene.killAt(point);
    scene.queue.send({ id: 'a', body });
    // RabbitMQ does not say whether it took an acknowledgement: after a day it is presumed.
    const limit = kind === 'amqp' ? 26 * hour : 2 * hour;
    const wrong = (await scene.settled(limit)) ? [] : [`not settled after ${limit / hour} h: ${scene.truth.story().join('; ')}`];
    await scene.world.run(2 * minute);
    if (point && first?.alive === true) wrong.push('nothing was killed');
    return { scene, requests: first?.requests ?? 0, wrong: [...wrong, ...scene.truth.atEnd(), ...scene.truth.violations] };
  }

  it.each(Object.entries(lives))('at every request leads to the same end: %s', { timeout: 600_000 }, async (_name, life) => {
    const calm = await live(life);
    expect([...calm.wrong, ...life.wrong(calm.scene, false)]).toEqual([]);
    expect(calm.requests).toBeGreaterThan(12);
    const different: string[] = [];
    for (let request = 1; request <= calm.requests; request += 1) {
      for (const when of ['before', 'after'] as const) {
        const { scene, wrong } = await live(life, { request, when });
        different.push(...[...wrong, ...life.wrong(scene, true)].map((text) => `killed ${when} request ${request}: ${text}`));
      }
    }
    expect(different).toEqual([]);
  });
});
