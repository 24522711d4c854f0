/** Queues as people write them on stormy days of messages, drawn from a seed. */
import type { JsonObject } from '../../src/lib/json.ts';
import type { MessageQueueKind } from '../../src/simulation/message-rules.ts';
import type { Random } from '../../src/simulation/random.ts';

/** What becomes of messages: a Job of their own, settled by its outcome or as soon as it is there; one of several, the same two; a run; or nothing, since workers fetch them. */
export type MessageMode = 'onCompletion' | 'onJobCreated' | 'batch' | 'batchOnJobCreated' | 'run' | 'drain';

export const messageModes: readonly MessageMode[] = ['onCompletion', 'onJobCreated', 'batch', 'batchOnJobCreated', 'run', 'drain'];

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
  const job = { job: { image }, startTimeout: random.pick(['30s', '1m']), timeout: '2m' };
  return JSON.stringify({
    apiVersion: 'job-chief/v1',
    kind: 'Queue',
    name,
    source: { [kind]: { connection: 'main', queue } },
    ...(mode === 'drain' ? drawDrain(random) : drawLeasing(random, { kind, mode, dead })),
    ...(mode === 'run' ? { template } : job),
    breaker: { notStarted: random.pick([2, 5, 'off']), failed: random.pick([3, 'off']), probeEvery: random.pick(['1m', '3m']) },
    ...(mode === 'run' ? {} : { retention: { succeeded: { count: random.int(0, 3) }, failed: { count: random.int(0, 4), age: random.pick(['15m', '1h']) } }, onSpecDelete: random.pick(['delete', 'finish']) }),
    ...(mode === 'run' ? {} : { onSpecChange: random.pick(['keep', 'keep', 'replace']) }),
    ...(suspend && { suspend }),
    ...(observe && { observe }),
  });
}

/** What messages start runs of. */
export const template = 'task';

export function drawTemplate(random: Random, image: string): string {
  return JSON.stringify({
    apiVersion: 'job-chief/v1',
    kind: 'Template',
    name: template,
    parameters: { width: { type: 'integer', default: 1 } },
    job: { image, args: ['$(params.width)'] },
    retry: { attempts: random.int(1, 2), delay: random.pick(['0s', '5s']), factor: 1 },
    startTimeout: random.pick(['30s', '1m']),
    timeout: '2m',
    concurrency: { max: random.int(2, 6) },
    retention: { succeeded: { count: random.int(0, 3) }, failed: { count: random.int(0, 3) } },
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

function drawLeasing(random: Random, { kind, mode, dead }: Pick<DrawnQueue, 'kind' | 'mode' | 'dead'>): JsonObject {
  const atCreation = mode === 'onJobCreated' || mode === 'batchOnJobCreated';
  const fields: JsonObject = {
    settle: atCreation ? 'onJobCreated' : 'onCompletion',
    ...(kind === 'amqp' ? { deadLetter: { policy: true } } : {}),
    ...(atCreation || random.chance(0.7) ? {} : { retry: { attempts: random.int(1, 3), delay: random.pick(['1s', '10s']) } }),
    ...(random.chance(0.5) ? { deadLetter: { queue: random.pick(dead) } } : {}),
    ...(random.chance(0.5) ? { schema: { type: 'object' } } : {}),
    waitAfter: { notStarted: random.pick(['5s', '1m']), refused: random.pick(['5s', '30s']) },
  };
  const concurrency = { max: random.int(1, 6) };
  switch (mode) {
    case 'batch':
    case 'batchOnJobCreated':
      return { perBatch: { ...fields, size: random.int(1, 5), maxWait: random.pick(['0s', '2s', '20s']) }, concurrency };
    case 'run':
      return { perMessage: { ...fields, ...(random.chance(0.5) ? { parameters: { width: '$(message.body.width)' } } : {}) }, concurrency };
    default:
      return { perMessage: fields, concurrency };
  }
}
