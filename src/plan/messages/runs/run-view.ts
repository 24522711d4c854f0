/** A run that a message started, as decisions about messages look at it: as at a Job. */
import type { ObservedRecord } from '../../run/record.ts';
import type { RecordedOutcome } from '../../notes.ts';
import { finishedAt, isFinished } from '../../workflow/records.ts';
import type { MessageJobView } from '../carrier.ts';
import type { MessagesView } from '../observed.ts';

/** undefined: no message started it, or nobody can read which. */
export function runView(record: ObservedRecord): MessageJobView | undefined {
  const { name, uid, resourceVersion, createdAt, deleting, ownerUid, request, message, keepUntil } = record;
  if (!message || request?.trigger !== 'message') return undefined;
  return {
    ...plain,
    name, uid, resourceVersion, createdAt, deleting, ownerUid, message,
    specHash: request.specHash,
    startedAt: record.result?.startedAt,
    ...(keepUntil !== undefined && { keepUntil }),
    ...(isFinished(record) ? ended(record) : begun(record)),
  };
}

/** All runs that messages of the queue started. */
export function runViews({ runs = [] }: Pick<MessagesView, 'runs'>): readonly MessageJobView[] {
  return runs.flatMap((record) => runView(record) ?? []);
}

/** What runs have none of. */
const plain = {
  carrier: { kind: 'Run' },
  specSource: 'configMap',
  onSpecDelete: 'finish',
  sequence: undefined,
  suspended: false,
  parallelism: 1,
  activeDeadlineSeconds: undefined,
  finished: undefined,
  succeededPods: 0,
  failedPods: 0,
  recorded: undefined,
  upkeep: undefined,
  pods: [],
} as const;

/** Once it was taken up it runs, as far as its message goes. */
function begun({ phase, createdAt }: ObservedRecord): Pick<MessageJobView, 'ranAt'> {
  return phase === 'Queued' ? {} : { ranAt: createdAt };
}

function ended(record: ObservedRecord): Pick<MessageJobView, 'finished' | 'recorded' | 'ranAt' | 'outputs' | 'cancelled'> {
  const { phase, result, createdAt } = record;
  const recorded = outcomeOf(record);
  const { reason, message } = recorded;
  return {
    finished: { condition: phase === 'Succeeded' ? 'Complete' : 'Failed', reason, message, at: finishedAt(record) },
    recorded,
    ...(result?.untried === undefined && { ranAt: result?.startedAt ?? createdAt }),
    ...(phase === 'Cancelled' && { cancelled: true as const }),
    ...(result?.outputs && { outputs: result.outputs }),
  };
}

function outcomeOf({ phase, result }: ObservedRecord): RecordedOutcome {
  const { reason = phase === 'Cancelled' ? 'RunCancelled' : 'RunFailed', message = '' } = result ?? {};
  return { phase: 'final', outcome: phase === 'Succeeded' ? 'succeeded' : (result?.untried ?? 'failed'), reason, message };
}
