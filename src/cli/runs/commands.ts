/** What people ask of a run that there is: annotations on its record, written only if it has not changed since it was read. */
import { approveCommand, cancelCommand, suspendCommand, type Approval, type CommandAnswer } from '../../plan/run/commands.ts';
import { approvalsAnnotation } from '../../spec/keys.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import type { StoredRecord } from '../../reconcile/record-ports.ts';
import { UserError } from '../exit-code.ts';
import { frozenSpec } from './frozen-spec.ts';
import { requireRun, runTarget } from './lookup.ts';
import type { FoundRun, RunClient } from './run-client.ts';
import { runnableIn, winner } from './spec-view.ts';

/** How often a record that others write at the same time is read again. */
const tries = 5;

/** Reads, decides, writes; the sentence that tells what came of it. */
async function command(runs: RunClient, name: string, decide: (run: FoundRun) => CommandAnswer | Promise<CommandAnswer>): Promise<string> {
  for (let left = tries; left > 0; left -= 1) {
    const run = await requireRun(runs, name);
    const answer = await decide(run);
    if (answer.kind === 'refused') throw new UserError(answer.message);
    if (answer.kind === 'already') return answer.message;
    const result = await runs.annotate(run.record, answer.annotations);
    if (result.kind === 'done') return answer.message;
    if (result.kind === 'conflict') continue;
    if (result.kind === 'gone') throw new UserError(`run "${name}" was deleted meanwhile`);
    throw new UserError(`run "${name}" cannot be changed: ${'message' in result ? result.message : result.kind}`);
  }
  throw new UserError(`run "${name}" is written by somebody else all the time; try again`);
}

export interface CancelOptions {
  readonly reason: string;
}

export function cancelRun(runs: RunClient, name: string, { reason }: CancelOptions): Promise<string> {
  return command(runs, name, ({ record }) => cancelCommand(record, reason));
}

export function suspendRun(runs: RunClient, name: string): Promise<string> {
  return command(runs, name, ({ record }) => suspendCommand(record, true));
}

export function resumeRun(runs: RunClient, name: string): Promise<string> {
  return command(runs, name, ({ record }) => suspendCommand(record, false));
}

export type ApproveOptions = Approval;

export function approveStep(runs: RunClient, name: string, approval: ApproveOptions): Promise<string> {
  return command(runs, name, async (run) => {
    const content = await runs.content(name);
    const spec = content && (await specOf(runs, run, content));
    const state = typeof content?.state === 'object' ? content.state : undefined;
    return approveCommand(run.record, approval, { spec, state, written: run.annotations[approvalsAnnotation] });
  });
}

/** The text that the run started with; while it is queued what it would start with now, as far as that is sound. */
async function specOf(runs: RunClient, { record }: FoundRun, { data }: StoredRecord): Promise<WorkflowSpec | undefined> {
  if (data) return frozenSpec(record, data);
  const current = winner(await runs.specs(), runTarget(record));
  return current && runnableIn(current);
}
