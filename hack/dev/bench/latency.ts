/** From a stored message to its Job, one message at a time, everything else idle. */
import { sleep } from '../cluster/progress.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { ControllerProcess } from './controller.ts';
import { JobWatch } from './job-watch.ts';
import { openMessageQueues, type MessageQueues, type QueueKind } from './message-queues.ts';
import { openQueues } from './queues.ts';
import { configMapsPath, createAll, makeNamespace } from './requests.ts';
import { messageMap } from './messages.ts';
import { specMap } from './specs.ts';
import type { World } from './world.ts';

/** Milliseconds, one for each message. */
export interface LatencyResult {
  /** A kind of queue: job-chief leases the message; the others have workers that fetch. */
  readonly mode: Mode;
  /** Until a watch beside the controller shows the Job. */
  readonly visible: readonly number[];
  /** Until the controller logs the API server's 201. */
  readonly confirmed: readonly number[];
}
export type Mode = 'notify' | 'polled' | QueueKind;

const drains = { notify: { queue: 'latency-notify', checkInterval: '10s' }, polled: { queue: 'latency-polled', checkInterval: '1s' } } as const;
const owned = 'latency-owned';

export async function measureLatency(world: World): Promise<LatencyResult[]> {
  const results: LatencyResult[] = [];
  for (const kind of world.options.queues) results.push(...(kind === 'pgBoss' ? await measurePgBoss(world) : [await measureOwned(world, kind)]));
  return results;
}

async function measurePgBoss(world: World): Promise<LatencyResult[]> {
  const namespace = 'bench-latency';
  await using queues = await openQueues(world, 'latency');
  await queues.create([drains.notify.queue, owned], true);
  await queues.create([drains.polled.queue], false);
  const maps = Object.values(drains).map(({ queue, checkInterval }) => specMap(namespace, { name: queue, checkInterval, runFor: '0s' }));
  await using setting = await Setting.start(world, { namespace, queues, maps: [...maps, messageMap(namespace, { kind: 'pgBoss', queue: owned, runFor: '0s' })] });
  const work = (queue: string) => (): Promise<void> => queues.work(queue);
  return [
    await setting.measure('notify', drains.notify.queue, { messages: world.options.messages, work: work(drains.notify.queue) }),
    await setting.measure('polled', drains.polled.queue, { messages: Math.ceil(world.options.messages * 0.3), work: work(drains.polled.queue) }),
    await setting.measure('pgBoss', owned, { messages: world.options.messages, work: undefined }),
  ];
}

async function measureOwned(world: World, kind: QueueKind): Promise<LatencyResult> {
  const namespace = `bench-latency-${kind.toLowerCase()}`;
  await using queues = await openMessageQueues(kind, world, 'latency');
  await queues.create([owned], true);
  await using setting = await Setting.start(world, { namespace, queues, maps: [messageMap(namespace, { kind, queue: owned, runFor: '0s' })] });
  return await setting.measure(kind, owned, { messages: world.options.messages, work: undefined });
}

interface Series {
  readonly messages: number;
  /** Takes and completes the message as a worker does; undefined: nobody fetches it. */
  readonly work: (() => Promise<void>) | undefined;
}

/** A controller with accepted specs and nothing to do. */
class Setting implements AsyncDisposable {
  readonly #world: World;
  readonly #namespace: string;
  readonly #queues: MessageQueues;
  readonly #controller: ControllerProcess;

  private constructor(world: World, parts: { namespace: string; queues: MessageQueues; controller: ControllerProcess }) {
    this.#world = world;
    this.#namespace = parts.namespace;
    this.#queues = parts.queues;
    this.#controller = parts.controller;
  }

  static async start(world: World, { namespace, queues, maps }: { namespace: string; queues: MessageQueues; maps: readonly JsonObject[] }): Promise<Setting> {
    await makeNamespace(world.api.transport, namespace);
    await createAll(world.api.transport, configMapsPath(namespace), maps);
    const controller = await ControllerProcess.start(world, { namespace, connectionsFolder: queues.connectionsFolder, connectionType: queues.connectionType, concurrency: 32 });
    const setting = new Setting(world, { namespace, queues, controller });
    try {
      await controller.ready();
      await controller.quiet(maps.length);
      return setting;
    } catch (error) {
      await controller.stop();
      throw error;
    }
  }

  async measure(mode: Mode, queue: string, { messages, work }: Series): Promise<LatencyResult> {
    const [visible, confirmed]: [number[], number[]] = [[], []];
    using watch = await JobWatch.open(this.#world.api.transport, this.#namespace, true);
    // The first ones warm up code paths and connections, as a controller that has run for an hour has them warm.
    for (let i = -3; i < messages; i += 1) {
      const { job, stored, seen } = await this.#one(queue, { watch, work });
      if (i >= 0) {
        visible.push(seen - stored);
        confirmed.push((this.#controller.confirmed.get(job) ?? Number.NaN) - stored);
      }
      if (i % 20 === 19) this.#world.say(`  latency, ${mode}: ${i + 1} of ${messages}`);
    }
    return { mode, visible, confirmed };
  }

  /** Ends when the message is worked off, its Job finished, and a random pause over. */
  async #one(queue: string, { watch, work }: { watch: JobWatch; work: Series['work'] }): Promise<{ job: string; stored: number; seen: number }> {
    const before = new Set(watch.added.keys());
    await this.#queues.send(queue);
    const stored = performance.timeOrigin + performance.now();
    const added = (): string | undefined => [...watch.added.keys()].find((name) => !before.has(name));
    await watch.until('a Job for the message', () => added() !== undefined, 30_000);
    const job = added() ?? '';
    await work?.();
    await watch.until('the end of the Job', () => watch.finished.has(job), 30_000);
    await sleep(250 + Math.random() * 750);
    return { job, stored, seen: watch.added.get(job) ?? Number.NaN };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#controller.stop();
  }
}
