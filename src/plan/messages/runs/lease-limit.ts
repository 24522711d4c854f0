/** Whether a delivery can be held for as long as the run that it starts may take: known before anything is leased. */
import { formatDuration } from '../../../lib/duration.ts';
import type { MessageQueueSpec, QueueRunSpec } from '../../../spec/queue.ts';
import type { WorkflowSpec } from '../../../spec/workflow.ts';
import type { Stand } from '../../draft.ts';
import { allAttempts } from '../lease-limit.ts';
import type { SourceState } from '../message.ts';

/** undefined: it can, or nobody knows of a limit. */
export function runLeaseTooShort({ perMessage: { settle, retry } }: Pick<MessageQueueSpec, 'perMessage'>, { run, target }: { readonly run: QueueRunSpec; readonly target: WorkflowSpec }, source: Extract<SourceState, { kind: 'open' }>): Stand | undefined {
  const { leaseLimit, limitName, strict } = source;
  if (leaseLimit === undefined || settle === 'onJobCreated') return undefined;
  const one = longestRun(target);
  const longest = one === undefined ? undefined : allAttempts(one, retry);
  if (longest === undefined ? !strict : longest < leaseLimit) return undefined;
  const { kind, name } = run.target;
  const why =
    longest === undefined
      ? `nothing says how long a run of ${kind} "${name}" may take: set timeout ${kind === 'template' ? 'in the template' : 'in all its steps'}`
      : `${retry.attempts > 1 ? `${retry.attempts} runs` : 'a run'} of ${kind} "${name}" may take ${formatDuration(longest)}: lower its timeouts, raise that limit`;
  return { state: 'Blocked', reason: 'LeaseTooShort', message: `a message can be held for ${formatDuration(leaseLimit)} (${limitName}), and ${why}, or set settle: onJobCreated` };
}

/**
 * Milliseconds that a run takes at most, its steps one after the other (a template has one); undefined: no limit. How long it
 * waits for its turn, or for places of others, nobody knows.
 */
export function longestRun({ steps, finally: after, maxParallel }: Pick<WorkflowSpec, 'steps' | 'finally' | 'maxParallel'>): number | undefined {
  let sum = 0;
  for (const { work, timeout, startTimeout, retry, forEach } of [...steps, ...after]) {
    // So many turns as there are items.
    const inTurns = forEach !== undefined && (forEach.maxParallel ?? maxParallel) !== undefined;
    if (typeof timeout !== 'number' || inTurns) return undefined;
    sum += allAttempts(work.kind === 'subRun' || work.kind === 'approve' ? timeout : startTimeout + timeout, retry);
  }
  return sum;
}
