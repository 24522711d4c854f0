/** From a committed message to its Job, one message at a time, everything else idle. */
import { sleep } from '../cluster/progress.ts';
import { ControllerProcess } from './controller.ts';
import { JobWatch } from './job-watch.ts';
import { openQueues, type Queues } from './queues.ts';
import { configMapsPath, createAll, makeNamespace } from './requests.ts';
import { messageMap } from './messages.ts';
import { specMap } from './specs.ts';
import type { World } from './world.ts';

/** Milliseconds, one for each message. */
export interface LatencyResult {
  /** `owned`: job-chief leases the message, the others have workers that fetch. */
  readonly mode: 'notify' | 'polled' | 'owned';
  /** Until a watch beside the controller shows the Job. */
  readonly visible: readonly number[];
  /** Until the controller logs the API server's 201. */
  readonly confirmed: readonly number[];
}

const namespace = 'bench-latency';
const modes = { notify: { queue: 'latency-notify', checkInterval: '10s', share: 1 }, polled: { queue: 'latency-polled', checkInterval: '1s', share: 0.3 } } as const;
const owned = { queue: 'latency-owned', share: 1 } as const;

export async function measureLatency(world: World): Promise<LatencyResult[]> {
  await makeNamespace(world.api.transport, namespace);
  await using queues = await openQueues(world, 'latency');
  await queues.create([modes.notify.queue, owned.queue], true);
  await queues.create([modes.polled.queue], false);
  const drains = Object.values(modes).map(({ queue, checkInterval }) => specMap(namespace, { name: queue, checkInterval, runFor: '0s' }));
  await createAll(world.api.transport, configMapsPath(namespace), [...drains, messageMap(namespace, { name: owned.queue, runFor: '0s' })]);
  const controller = await ControllerProcess.start(world, { namespace, connectionsFolder: queues.connectionsFolder, concurrency: 32 });
  try {
    await controller.ready();
    await controller.quiet(3);
    const parts = { world, queues, controller };
    return [await measure('notify', parts), await measure('polled', parts), await measure('owned', parts)];
  } finally {
    await controller.stop();
  }
}

async function measure(mode: LatencyResult['mode'], { world, queues, controller }: { world: World; queues: Queues; controller: ControllerProcess }): Promise<LatencyResult> {
  const { queue, share } = mode === 'owned' ? owned : modes[mode];
  const messages = Math.ceil(world.options.messages * share);
  const [visible, confirmed]: [number[], number[]] = [[], []];
  using watch = await JobWatch.open(world.api.transport, namespace, true);
  // The first ones warm up code paths and connections, as a controller that has run for an hour has them warm.
  for (let i = -3; i < messages; i += 1) {
    const { job, committed, seen } = await one(queue, { queues, watch, worked: mode === 'owned' });
    if (i >= 0) {
      visible.push(seen - committed);
      confirmed.push((controller.confirmed.get(job) ?? Number.NaN) - committed);
    }
    if (i % 20 === 19) world.say(`  latency, ${mode}: ${i + 1} of ${messages}`);
  }
  return { mode, visible, confirmed };
}

/** Ends when the message is worked off, its Job finished, and a random pause over. `worked`: nobody fetches it. */
async function one(queue: string, { queues, watch, worked }: { queues: Queues; watch: JobWatch; worked: boolean }): Promise<{ job: string; committed: number; seen: number }> {
  const before = new Set(watch.added.keys());
  await queues.send(queue);
  const committed = performance.timeOrigin + performance.now();
  const added = (): string | undefined => [...watch.added.keys()].find((name) => !before.has(name));
  await watch.until('a Job for the message', () => added() !== undefined, 30_000);
  const job = added() ?? '';
  if (!worked) await queues.work(queue);
  await watch.until('the end of the Job', () => watch.finished.has(job), 30_000);
  await sleep(250 + Math.random() * 750);
  return { job, committed, seen: watch.added.get(job) ?? Number.NaN };
}
