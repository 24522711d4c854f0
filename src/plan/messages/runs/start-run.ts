/** From a message in hand to the record of a run, or to where messages go of which none can be made. */
import type { QueueRunSpec } from '../../../spec/queue.ts';
import { sourceIdentity } from '../../../spec/queue-source.ts';
import type { WorkflowSpec } from '../../../spec/workflow.ts';
import { jobName } from '../../job-name.ts';
import { priorityOf } from '../../limits/priority.ts';
import { requestFor } from '../../run/record.ts';
import { retentionNote } from '../../workflow/create-run.ts';
import type { SettleMessage, StartRun } from '../action.ts';
import { readMessage } from '../content.ts';
import type { Next } from '../decision.ts';
import type { LeaseInHand } from '../observed.ts';
import type { MessageRound } from '../round.ts';
import { invalid, noteOf } from '../start-message.ts';
import { parametersOf } from './parameters.ts';

/** What a Queue starts runs of. */
export interface RunStart {
  readonly run: QueueRunSpec;
  readonly target: WorkflowSpec;
}

/** The record of its run; or, where the message is invalid, what becomes of it without one. */
export function startRunFor(round: MessageRound, { run, target }: RunStart, { lease, next }: { readonly lease: LeaseInHand; readonly next: Next }): StartRun | SettleMessage {
  const { spec, environment } = round;
  const { id, message, problem } = lease;
  const fail = (text: string): SettleMessage => invalid(round, lease, { reason: 'MessageInvalid', message: text, job: undefined, attempt: next.attempt });
  if (problem !== undefined || !message) return fail(problem ?? 'its content is missing');
  const reading = readMessage(spec, message, next.attempt);
  if ('problem' in reading) return fail(reading.problem);
  const made = parametersOf(run.parameters, target.parameters, reading.values);
  if ('problem' in made) return fail(made.problem);
  const refusal = round.view.refusals.get(id);
  if (refusal?.tooLarge && refusal.hash === spec.hash) return fail(`its run cannot be written down: ${refusal.message}`);
  return {
    kind: 'startRun',
    reason: 'MessageReceived',
    because: next.serial === 1 ? 'a message was received' : `run ${next.serial} for a message, attempt ${next.attempt}`,
    source: spec.source,
    id,
    token: lease.token,
    hash: spec.hash,
    name: jobName(run.target.name, [environment.instance, 'queue', spec.name, ...sourceIdentity(spec.source), id, next.serial]),
    request: {
      ...requestFor(run.target),
      trigger: 'message',
      queue: spec.name,
      specHash: spec.hash,
      ...(priorityOf(spec) === 0 ? {} : { priority: priorityOf(spec) }),
      retention: retentionNote(target.retention),
    },
    parameters: made.parameters,
    note: noteOf(round, lease, { next, sha256: reading.values.sha256 }),
  };
}
