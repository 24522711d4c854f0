/**
 * kill -9 at every single request of a controller while messages start runs: no message is lost, none has two runs that were
 * not owed to it, none is settled wrongly. Enumerated, not sampled.
 */
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import type { StoredMessage } from '../../../src/simulation/message-queue.ts';
import type { KillPoint } from '../../../src/simulation/process.ts';
import type { PodScript } from '../../../src/simulation/pod-script.ts';
import { hour, minute } from '../../support/scene.ts';
import { useRunScenes, type RunScene } from '../../support/message-run-scene.ts';
import { messageQueueKinds } from '../../support/message-scene.ts';

const stage = useRunScenes();

interface Life {
  readonly body?: string;
  readonly spec?: JsonObject;
  readonly template?: JsonObject;
  readonly pod: (attempt: number) => PodScript;
  readonly invalid?: (stored: StoredMessage) => boolean;
  /** Attempts that there may be, and dead letters that there must be. */
  readonly attempts: readonly [least: number, most: number];
  readonly dead: number;
}

const lives: Readonly<Record<string, Life>> = {
  'a message whose run succeeds': { pod: () => ({ runs: 3_000 }), attempts: [1, 1], dead: 0 },
  'a message whose runs fail and that is dead-lettered': {
    spec: { perMessage: { retry: { attempts: 2, delay: '2s' }, deadLetter: { queue: 'dead' } } },
    pod: () => ({ runs: 1_000, exit: { code: 3 } }),
    // Under another lease the tries begin anew.
    attempts: [2, 3],
    dead: 1,
  },
  'a message that does not fit the parameters': {
    body: '{"width": "wide"}',
    spec: { perMessage: { parameters: { width: '$(message.body.width)' }, deadLetter: { queue: 'dead' } } },
    template: { parameters: { width: { type: 'integer' } } },
    pod: () => ({}),
    invalid: () => true,
    attempts: [0, 0],
    dead: 1,
  },
};

function wrongIn(scene: RunScene, { attempts: [least, most], dead }: Life): string[] {
  const attempts = scene.of('a').filter(({ started }) => started).length;
  // A dead letter that was published and not marked is published again: where the queue cannot tell, it is there twice.
  const published = new Set(scene.dead.messages.map(({ message }) => message.id)).size;
  return [
    ...(scene.states[0] === 'completed' ? [] : [`the message is ${scene.states[0] ?? 'gone'}`]),
    ...(attempts >= least && attempts <= most ? [] : [`${attempts} attempts were made, and there had to be ${least} to ${most}`]),
    ...(published === dead ? [] : [`${published} dead letters`]),
    ...scene.atEnd(),
    ...scene.violations,
  ];
}

describe.each(messageQueueKinds)('kill -9 with runs for messages of %s', (kind) => {
  async function live(life: Life, point?: KillPoint): Promise<{ readonly requests: number; readonly wrong: string[] }> {
    const { body = '{"width": 3}', spec = {}, template = {}, pod, invalid = () => false } = life;
    const scene = stage({ seed: 3, kind, spec, template, pod, invalid, queue: { limit: 20 * minute, mostDeliveries: 8, visibility: 30_000 } });
    const first = scene.controller;
    if (point) scene.killAt(point);
    scene.queue.send({ id: 'a', body });
    // RabbitMQ does not say whether it took an acknowledgement: after a day it is presumed.
    const limit = kind === 'amqp' ? 26 * hour : 2 * hour;
    const wrong = (await scene.settled(limit)) ? [] : [`not settled after ${limit / hour} h: ${scene.story.join('; ')}`];
    await scene.world.run(2 * minute);
    if (point && first?.alive === true) wrong.push('nothing was killed');
    return { requests: first?.requests ?? 0, wrong: [...wrong, ...wrongIn(scene, life)] };
  }

  it.each(Object.entries(lives))('at every request leads to the same end: %s', { timeout: 900_000 }, async (_name, life) => {
    const calm = await live(life);
    expect(calm.wrong).toEqual([]);
    expect(calm.requests).toBeGreaterThan(12);
    const different: string[] = [];
    for (let request = 1; request <= calm.requests; request += 1) {
      for (const when of ['before', 'after'] as const) {
        const { wrong } = await live(life, { request, when });
        different.push(...wrong.map((text) => `killed ${when} request ${request}: ${text}`));
      }
    }
    expect(different).toEqual([]);
  });
});
