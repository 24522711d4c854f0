/** What people ask of a run that there is: annotations on its record, written only if it has not changed since it was read. */
import type { WorkflowSpec } from '../../spec/workflow.ts';
import { approvalsAnnotation, cancelAnnotation, suspendAnnotation } from '../../spec/keys.ts';
import { entryOf, outcomeText } from '../../plan/run/standing.ts';
import type { StoredRecord } from '../../reconcile/record-ports.ts';
import { UserError } from '../exit-code.ts';
import { frozenSpec } from './frozen-spec.ts';
import { hint, requireRun, runTarget } from './lookup.ts';
import { endText, isFinished } from './phases.ts';
import type { FoundRun, RunClient } from './run-client.ts';
import { runnableIn, winner } from './spec-view.ts';

/** What a command does with a run as it stands: nothing but a word, or annotations and a word. */
interface Decision {
  readonly annotations?: Readonly<Record<string, string | null>>;
  readonly message: string;
}

/** How often a record that others write at the same time is read again. */
const tries = 5;

/** Reads, decides, writes; the sentence that tells what came of it. */
async function command(runs: RunClient, name: string, decide: (run: FoundRun) => Decision | Promise<Decision>): Promise<string> {
  for (let left = tries; left > 0; left -= 1) {
    const run = await requireRun(runs, name);
    const { annotations, message } = await decide(run);
    if (!annotations) return message;
    const result = await runs.annotate(run.record, annotations);
    if (result.kind === 'done') return message;
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
  return command(runs, name, ({ record }) => {
    if (record.phase === 'Cancelled') return { message: `run "${name}" was cancelled already` };
    requireOpen(name, { record, annotations: {} }, 'cancelled');
    if (record.commands.cancel !== undefined) return { message: `run "${name}" is being cancelled already (${record.commands.cancel})` };
    return { annotations: { [cancelAnnotation]: reason }, message: `run "${name}" is being cancelled` };
  });
}

export function suspendRun(runs: RunClient, name: string): Promise<string> {
  return command(runs, name, (run) => {
    requireOpen(name, run, 'suspended');
    if (run.record.commands.suspend) return { message: `run "${name}" is suspended already` };
    return { annotations: { [suspendAnnotation]: 'true' }, message: `run "${name}" is suspended: what runs may finish, nothing new starts` };
  });
}

export function resumeRun(runs: RunClient, name: string): Promise<string> {
  return command(runs, name, (run) => {
    requireOpen(name, run, 'resumed');
    if (!run.record.commands.suspend) return { message: `run "${name}" is not suspended` };
    return { annotations: { [suspendAnnotation]: null }, message: `run "${name}" goes on` };
  });
}

export interface ApproveOptions {
  readonly step: string;
  readonly word: 'approved' | 'rejected';
}

export function approveStep(runs: RunClient, name: string, { step, word }: ApproveOptions): Promise<string> {
  return command(runs, name, async (run) => {
    requireOpen(name, run, word);
    const content = await runs.content(name);
    const spec = content && (await specOf(runs, run, content));
    if (spec) requireApproval(spec, name, step);
    const state = typeof content?.state === 'object' ? entryOf(content.state.steps, step) : undefined;
    const given = run.record.commands.approvals.get(step);
    if (given === word) return { message: `step "${step}" of run "${name}" was ${word} already` };
    if (state?.outcome !== undefined) throw new UserError(`step "${step}" of run "${name}" has ended: it ${outcomeText[state.outcome]}`);
    const early = state === undefined ? '; the step is not reached yet, this will count when it is' : '';
    return { annotations: { [approvalsAnnotation]: withApproval(run.annotations[approvalsAnnotation], step, word) }, message: `step "${step}" of run "${name}" is ${word}${early}` };
  });
}

/** The text that the run started with; while it is queued what it would start with now, as far as that is sound. */
async function specOf(runs: RunClient, { record }: FoundRun, { data }: StoredRecord): Promise<WorkflowSpec | undefined> {
  if (data) return frozenSpec(record, data);
  const current = winner(await runs.specs(), runTarget(record));
  return current && runnableIn(current);
}

function requireApproval({ steps, finally: after }: WorkflowSpec, run: string, name: string): void {
  const all = [...steps, ...after];
  const found = all.find((step) => step.name === name);
  const approvals = all.filter(({ work }) => work.kind === 'approve').map((step) => step.name);
  const known = approvals.length === 0 ? 'no step of it does' : `these do: ${approvals.join(', ')}`;
  if (!found) throw new UserError(`run "${run}" has no step "${name}"${hint(name, approvals, approvals.length === 0 ? 'no step of it waits for an approval' : `steps that wait for an approval: ${approvals.join(', ')}`)}`);
  if (found.work.kind !== 'approve') throw new UserError(`step "${name}" waits for no approval; ${known}`);
}

/** What others wrote stays as it is. */
function withApproval(text: string | undefined, step: string, word: ApproveOptions['word']): string {
  const others = (text ?? '').split(',').map((part) => part.trim()).filter((part) => part !== '' && part.split('=')[0]?.trim() !== step);
  return [...others, word === 'approved' ? step : `${step}=rejected`].join(',');
}

function requireOpen(name: string, { record }: FoundRun, what: string): void {
  if (isFinished(record)) throw new UserError(`run "${name}" is over (it ${endText(record)}) and cannot be ${what} any more`);
  if (record.deleting) throw new UserError(`run "${name}" is being deleted`);
}
