/**
 * The four loads in which tools that count messages and start anonymous Jobs make up to 43 Jobs for each message, or let
 * messages wait for minutes: bursts with pods that start slowly, long work with more coming, a steady trickle.
 */
import { describe, expect, it } from 'vitest';
import { messageQueueKinds, useMessageScenes } from '../../support/message-scene.ts';
import { minute, second } from '../../support/scene.ts';

const stage = useMessageScenes();

interface Load {
  readonly messages: number;
  /** When so many are sent, milliseconds from the beginning. */
  readonly sends: readonly { readonly at: number; readonly count: number }[];
  readonly startsAfter: number;
  readonly runs: number;
  readonly max: number;
  /** Longest time from sending to the started container. */
  readonly longestWait: number;
}

const trickle = Array.from({ length: 80 }, (_, index) => ({ at: index * 15 * second, count: 1 }));
const loads: readonly (readonly [string, Load])[] = [
  ['A: a burst of 40, whose pods start in 90 s and run for 60 s', { messages: 40, sends: [{ at: 0, count: 40 }], startsAfter: 90 * second, runs: 60 * second, max: 100, longestWait: 95 * second }],
  ['B: a burst of 40, and 20 more after 65 s, which run for 10 min', { messages: 60, sends: [{ at: 0, count: 40 }, { at: 65 * second, count: 20 }], startsAfter: 3 * second, runs: 10 * minute, max: 100, longestWait: 8 * second }],
  ['C: one each 15 s for 20 min, which run for 5 min', { messages: 80, sends: trickle, startsAfter: 3 * second, runs: 5 * minute, max: 30, longestWait: 8 * second }],
  ['D: a burst of 40, whose pods start in 15 s and run for 20 s', { messages: 40, sends: [{ at: 0, count: 40 }], startsAfter: 15 * second, runs: 20 * second, max: 100, longestWait: 20 * second }],
];

describe.each(messageQueueKinds)('Jobs for each message of %s', (kind) => {
  it.each(loads)('%s: exactly one, and none without a message', async (name, { messages, sends, startsAfter, runs, max, longestWait }) => {
    const scene = stage({ kind, spec: { concurrency: { max }, startTimeout: '3m', timeout: '15m' }, queue: { limit: 25 * minute }, pod: () => ({ startsAfter, runs }) });
    await scene.world.run(10 * second);
    for (const { at, count } of sends) scene.world.clock.timer(at + 1, () => { scene.queue.sendMany(count); });
    await scene.world.run((sends.at(-1)?.at ?? 0) + second);
    expect(await scene.settled()).toBe(true);
    const waits = scene.queue.messages.map(({ message }) => (scene.truth.of(message.id)[0]?.startedAt ?? Infinity) - (message.enqueuedAt ?? 0));
    const empty = scene.truth.jobs.filter(({ id }) => scene.queue.find(id) === undefined);
    console.info(`${kind} ${name}: ${(scene.truth.jobs.length / messages).toFixed(2)} Jobs for each message, ${empty.length} empty, longest wait ${(Math.max(...waits) / 1000).toFixed(1)} s`);
    expect(scene.queue.messages.map(({ state }) => state)).toEqual(Array.from({ length: messages }, () => 'completed'));
    expect([scene.truth.jobs.length, empty]).toEqual([messages, []]);
    expect(Math.max(...waits)).toBeLessThan(longestWait);
  });
});
