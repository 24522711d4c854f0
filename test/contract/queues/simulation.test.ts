import { SimulatedQueues } from '../../../src/simulation/queue.ts';
import { VirtualClock } from '../../../src/simulation/clock.ts';
import type { DepthAnswer } from '../../../src/reconcile/ports.ts';
import { depthProbeContract, type QueueUnderTest } from './depth-probe.contract.ts';

depthProbeContract('the simulated queue', () => {
  const clock = new VirtualClock();
  const queues = new SimulatedQueues({ clock });
  queues.breakConnection('nowhere', 'ConnectionUnknown');
  const [queue, otherQueue] = [queues.queue('queue'), queues.queue('other')];
  let moving: Promise<void> | undefined;
  const held = new Map<string, ReturnType<typeof queue.fetch>>();
  const each = (ids: readonly string[], act: (message: NonNullable<ReturnType<typeof queue.fetch>>) => void): Promise<void> => {
    for (const message of ids.map((id) => held.get(id))) if (message) act(message);
    return Promise.resolve();
  };
  const place: QueueUnderTest = {
    probe: {
      depth: async (question, signal): Promise<DepthAnswer> => {
        // The simulation knows only queues that somebody made; in a table of jobs every name is a queue.
        queues.queue(question.source.queue);
        const answer = queues.depth(question, signal);
        // An answer takes virtual time, which passes only when somebody moves it.
        moving ??= clock.runFor(10).finally(() => {
          moving = undefined;
        });
        await moving;
        return answer;
      },
    },
    connection: 'main',
    schema: undefined,
    queue: queue.name,
    otherQueue: otherQueue.name,
    now: () => clock.now(),
    send: (count, options = {}) => {
      queues.queue(options.queue ?? queue.name).send(count, { startAfter: options.deferredBy ?? 0 });
      return Promise.resolve();
    },
    fetch: (count) => {
      const messages = Array.from({ length: count }, () => queue.fetch()).filter((message) => message !== undefined);
      for (const message of messages) held.set(message.id, message);
      return Promise.resolve(messages.map(({ id }) => id));
    },
    complete: (ids) => each(ids, (message) => queue.complete(message)),
    fail: (ids) => each(ids, (message) => queue.fail(message)),
    pass: async () => {
      await clock.runFor(500);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return Promise.resolve(place);
});
