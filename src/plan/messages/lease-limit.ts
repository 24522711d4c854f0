/** Whether a delivery can be held for as long as its Job may take: known before anything is leased. */
import { formatDuration } from '../../lib/duration.ts';
import type { MessageQueueSpec } from '../../spec/queue.ts';
import type { RetrySpec } from '../../spec/workflow.ts';
import type { Stand } from '../draft.ts';
import { delayAfter } from '../run/retry.ts';
import type { SourceState } from './message.ts';

/** undefined: it can, or nobody knows of a limit. */
export function leaseTooShort(spec: MessageQueueSpec, source: Extract<SourceState, { kind: 'open' }>): Stand | undefined {
  const { leaseLimit, limitName, strict } = source;
  if (leaseLimit === undefined || spec.perMessage.settle === 'onJobCreated') return undefined;
  const blocked = (what: string, mend: string): Stand => ({
    state: 'Blocked',
    reason: 'LeaseTooShort',
    message: `a message can be held for ${formatDuration(leaseLimit)} (${limitName}), and ${what}: ${mend}, or set settle: onJobCreated`,
  });
  const longest = longestHold(spec);
  if (longest === undefined) return strict ? blocked('without a timeout its Job may take longer', 'set timeout') : undefined;
  if (longest < leaseLimit) return undefined;
  const { retry } = spec.perMessage;
  const parts = spec.batch ? 'maxWait, startTimeout and timeout' : 'startTimeout and timeout';
  const what = retry.attempts > 1 ? `${retry.attempts} attempts with ${spec.batch ? 'maxWait, ' : ''}startTimeout, timeout and delays` : parts;
  return blocked(`${what} come to ${formatDuration(longest)}`, `lower ${retry.attempts > 1 ? 'them' : parts.replace(' and ', ' or ')}, raise that limit`);
}

/** Milliseconds from the first Job of a delivery to the end of its last; undefined: no limit. */
export function longestHold({ startTimeout, timeout, batch, perMessage: { retry } }: MessageQueueSpec): number | undefined {
  if (timeout === undefined) return undefined;
  return allAttempts((batch?.maxWait ?? 0) + startTimeout + timeout, retry);
}

/** Milliseconds of all attempts that take so long at most, with the delays between them. */
export function allAttempts(one: number, retry: RetrySpec): number {
  const all = one * retry.attempts + delays(retry);
  return retry.within === undefined ? all : Math.min(all, retry.within + one);
}

/** Between all attempts. */
function delays(retry: RetrySpec): number {
  let sum = 0;
  for (let ended = 1; ended < retry.attempts; ended += 1) sum += delayAfter(retry, ended);
  return sum;
}
