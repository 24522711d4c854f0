/** Jobs for each message under four loads: job-chief on a simulated cluster and clock, beside formulas that count. */
import type { JsonObject } from '../../../src/lib/json.ts';
import type { MessageQueueKind } from '../../../src/simulation/message-rules.ts';
import { startController } from '../../../test/support/controller.ts';
import { MessageTruth } from '../../../test/support/message-truth.ts';
import { simulate } from '../../../test/support/simulation.ts';
import type { Strategy } from './counting-formulas.ts';
import { simulateCounting, type Counted, type Outcome } from './counting-simulation.ts';
import { loads, messagesOf, type Load } from './loads.ts';

export const leasedKinds: readonly MessageQueueKind[] = ['pgBoss', 'amqp', 'sqs'];
export const strategies: readonly Strategy[] = ['default', 'accurate', 'eager', 'custom'];

export interface JobsPerMessage {
  readonly load: Load;
  readonly leased: Readonly<Record<MessageQueueKind, Outcome>>;
  readonly counting: readonly { readonly strategy: Strategy; readonly counted: Counted; readonly outcome: Outcome }[];
}

export async function measureJobsPerMessage(): Promise<JobsPerMessage[]> {
  const found: JobsPerMessage[] = [];
  for (const load of loads) {
    const leased = { pgBoss: await simulateLeasing(load, 'pgBoss'), amqp: await simulateLeasing(load, 'amqp'), sqs: await simulateLeasing(load, 'sqs') };
    const counting = (['all', 'ready'] as const).flatMap((counted) => strategies.map((strategy) => ({ strategy, counted, outcome: simulateCounting(load, { strategy, counted }) })));
    found.push({ load, leased, counting });
  }
  return found;
}

/** The real controller, with its API server, kubelet and queue in memory. Throws where messages are left, or where anything happened that must never happen. */
export async function simulateLeasing(load: Load, kind: MessageQueueKind): Promise<Outcome> {
  const world = simulate();
  world.cluster.script = () => ({ startsAfter: load.startsAfter, runs: load.runs });
  const queue = world.broker.create('work', { kind, limit: leaseLimit });
  const truth = new MessageTruth(world);
  truth.watch(queue);
  world.applyConfigMap('work', specOf(load, kind));
  const controller = startController(world);
  try {
    await world.run(settleIn);
    const began = world.clock.now();
    for (const { at, count } of load.sends) world.clock.timer(Math.max(at, 1), () => { queue.sendMany(count); });
    await world.run((load.sends.at(-1)?.at ?? 0) + 1000);
    const done = await world.runUntil(() => queue.unfinished === 0 && truth.jobs.every(({ settled }) => settled !== undefined));
    if (!done || truth.violations.length > 0) throw new Error(`load ${load.name}, ${kind}: ${queue.unfinished} messages are left after an hour\n${truth.violations.join('\n')}`);
    const waits = queue.messages.map(({ message: { id, enqueuedAt = 0 } }) => (truth.of(id)[0]?.startedAt ?? Infinity) - enqueuedAt);
    return { jobs: truth.jobs.length, empty: truth.jobs.filter(({ id }) => queue.find(id) === undefined).length, left: messagesOf(load) - queue.messages.filter(({ state }) => state === 'completed').length, waits, end: world.clock.now() - began };
  } finally {
    controller.kill();
  }
}

/** Longer than the longest Job of a load. */
const leaseLimit = 25 * 60_000;
/** Until the controller listens. */
const settleIn = 10_000;

function specOf({ max }: Load, kind: MessageQueueKind): string {
  const perMessage: JsonObject = kind === 'amqp' ? { deadLetter: { policy: true } } : {};
  return JSON.stringify({ apiVersion: 'job-chief/v1', kind: 'Queue', source: { [kind]: { connection: 'main', queue: 'work' } }, perMessage, concurrency: { max }, startTimeout: '3m', timeout: '15m', job: { image: 'registry.example/worker:1' } }, undefined, 2);
}
