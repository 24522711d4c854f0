/** Queues as people write them on stormy days of messages, drawn from a seed. */
import type { JsonObject } from '../../src/lib/json.ts';
import type { MessageQueueKind } from '../../src/simulation/message-rules.ts';
import type { Random } from '../../src/simulation/random.ts';

/** Who has the messages, and when they are settled. */
export type MessageMode = 'onCompletion' | 'onJobCreated' | 'drain';

export const messageModes: readonly MessageMode[] = ['onCompletion', 'onJobCreated', 'drain'];

export interface DrawnQueue {
  /** Logical name. */
  readonly name: string;
  readonly kind: MessageQueueKind;
  /** Where the messages wait. */
  readonly queue: string;
  readonly mode: MessageMode;
  /** Names of queues where dead ones may go. */
  readonly dead: readonly string[];
  /** Makes one text different from all others. */
  readonly image: string;
  readonly suspend: boolean;
  readonly observe: boolean;
}

/** The spec as text; JSON is YAML. */
export function drawQueue(random: Random, { name, kind, queue, mode, dead, image, suspend, observe }: DrawnQueue): string {
  return JSON.stringify({
    apiVersion: 'job-chief/v1',
    kind: 'Queue',
    name,
    source: { [kind]: { connection: 'main', queue } },
    ...(mode === 'drain' ? drawDrain(random) : drawPerMessage(random, { kind, mode, dead })),
    startTimeout: random.pick(['30s', '1m']),
    timeout: '2m',
    breaker: { notStarted: random.pick([2, 5, 'off']), failed: random.pick([3, 'off']), probeEvery: random.pick(['1m', '3m']) },
    retention: { succeeded: { count: random.int(0, 3) }, failed: { count: random.int(0, 4), age: random.pick(['15m', '1h']) } },
    onSpecChange: random.pick(['keep', 'keep', 'replace']),
    onSpecDelete: random.pick(['delete', 'finish']),
    ...(suspend && { suspend }),
    ...(observe && { observe }),
    job: { image },
  });
}

function drawDrain(random: Random): JsonObject {
  return {
    drain: {
      checkInterval: random.pick(['5s', '30s']),
      pods: { max: random.int(1, 3), messagesPerPod: random.int(1, 3) },
      waitAfter: { succeeded: random.pick(['0s', '5s']), failed: random.pick(['5s', '30s']), notStarted: random.pick(['10s', '1m']) },
    },
  };
}

function drawPerMessage(random: Random, { kind, mode, dead }: Pick<DrawnQueue, 'kind' | 'mode' | 'dead'>): JsonObject {
  const atCreation = mode === 'onJobCreated';
  return {
    perMessage: {
      settle: mode,
      ...(kind === 'amqp' ? { deadLetter: { policy: true } } : {}),
      ...(atCreation || random.chance(0.7) ? {} : { retry: { attempts: random.int(1, 3), delay: random.pick(['1s', '10s']) } }),
      ...(random.chance(0.5) ? { deadLetter: { queue: random.pick(dead) } } : {}),
      ...(random.chance(0.5) ? { schema: { type: 'object' } } : {}),
      waitAfter: { notStarted: random.pick(['5s', '1m']), refused: random.pick(['5s', '30s']) },
    },
    concurrency: { max: random.int(1, 6) },
  };
}
