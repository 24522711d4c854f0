/** Builds `perMessage` of a Queue, and what `perBatch` has in common with it. */
import { milliseconds, type Filled } from './common-build.ts';
import type { DeadLetterSpec, PerMessageSpec } from './queue.ts';
import type { QueueDocument } from './queue-schema.ts';
import { retrySpec } from './step-build.ts';

type Document = NonNullable<QueueDocument['perMessage']>;

interface Defaults extends Pick<Filled<Document>, 'settle' | 'env' | 'waitAfter'> {
  readonly payload: Pick<Filled<Document>['payload'], 'file'>;
}

/** The first is the same with defaults. */
export function buildPerMessage({ settle, payload, env, waitAfter }: Defaults, given: Document): PerMessageSpec {
  const { retry = {} } = given;
  return {
    settle,
    payload: { file: payload.file === 'off' || payload.file === false ? undefined : payload.file, env: given.payload?.env },
    env,
    schema: given.schema,
    retry: retrySpec({ ...retry, attempts: retry.attempts ?? 1 }),
    deadLetter: deadLetterSpec(given.deadLetter),
    waitAfter: { notStarted: milliseconds(waitAfter.notStarted), refused: milliseconds(waitAfter.refused) },
  };
}

/** `policy: true` says what holds without it, for whoever has to say that it is meant. */
function deadLetterSpec(given: Document['deadLetter']): DeadLetterSpec | undefined {
  if (given?.queue !== undefined) return { queue: given.queue };
  return given?.exchange === undefined ? undefined : { exchange: given.exchange, routingKey: given.routingKey ?? '' };
}
