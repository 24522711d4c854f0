/** What somebody may ask of a run that there is, and what that writes on its record. */
import { nearest } from '../../lib/nearest.ts';
import { approvalsAnnotation, cancelAnnotation, suspendAnnotation } from '../../spec/keys.ts';
import type { StepSpec, WorkflowSpec } from '../../spec/workflow.ts';
import type { ObservedRecord } from './record.ts';
import { entryOf, outcomeText } from './standing.ts';
import type { RunState } from './state.ts';
import { isOver } from './summary.ts';

/** What a command comes to. */
export type CommandAnswer =
  /** To be written only if the record has not changed since; null takes an annotation away. */
  | { readonly kind: 'write'; readonly annotations: Readonly<Record<string, string | null>>; readonly message: string }
  /** It was asked for before. */
  | { readonly kind: 'already'; readonly message: string }
  | { readonly kind: 'refused'; readonly code: 'RunOver' | 'RunGone' | 'UnknownStep' | 'NoApproval' | 'StepEnded'; readonly message: string };

/** Ends the run: Jobs under way are ended, `finally` still runs. */
export function cancelCommand(record: ObservedRecord, reason: string): CommandAnswer {
  const { name, phase, commands } = record;
  if (phase === 'Cancelled') return { kind: 'already', message: `run "${name}" was cancelled already` };
  if (commands.cancel !== undefined && !isOver(phase)) return { kind: 'already', message: `run "${name}" is being cancelled already (${commands.cancel})` };
  return whileOpen(record, 'cancelled') ?? { kind: 'write', annotations: { [cancelAnnotation]: reason }, message: `run "${name}" is being cancelled` };
}

/** Keeps everything new of the run from starting, or lets it start again. */
export function suspendCommand(record: ObservedRecord, suspend: boolean): CommandAnswer {
  const { name, commands } = record;
  const closed = whileOpen(record, suspend ? 'suspended' : 'resumed');
  if (closed) return closed;
  if (commands.suspend === suspend) return { kind: 'already', message: `run "${name}" is ${suspend ? 'suspended already' : 'not suspended'}` };
  return { kind: 'write', annotations: { [suspendAnnotation]: suspend ? 'true' : null }, message: `run "${name}" ${suspend ? 'is suspended: what runs may finish, nothing new starts' : 'goes on'}` };
}

export interface Approval {
  readonly step: string;
  readonly word: 'approved' | 'rejected';
}

/** What is known of the run beside its record's metadata. */
export interface ApprovalFacts {
  /** As the run started with, or would start with now; undefined: it cannot be told, and the step's name is not checked. */
  readonly spec: WorkflowSpec | undefined;
  readonly state: RunState | undefined;
  /** The annotation as it stands there. */
  readonly written: string | undefined;
}

/** Gives a step that waits for somebody its word, also before it is reached. */
export function approveCommand(record: ObservedRecord, { step, word }: Approval, { spec, state, written }: ApprovalFacts): CommandAnswer {
  const { name, commands } = record;
  const refused = whileOpen(record, word) ?? (spec && unfit(spec, name, step));
  if (refused) return refused;
  if (commands.approvals.get(step) === word) return { kind: 'already', message: `step "${step}" of run "${name}" was ${word} already` };
  const known = entryOf(state?.steps, step);
  if (known?.outcome !== undefined) return { kind: 'refused', code: 'StepEnded', message: `step "${step}" of run "${name}" has ended: it ${outcomeText[known.outcome]}` };
  const early = known === undefined ? '; the step is not reached yet, this will count when it is' : '';
  return { kind: 'write', annotations: { [approvalsAnnotation]: withApproval(written, step, word) }, message: `step "${step}" of run "${name}" is ${word}${early}` };
}

function whileOpen({ name, phase, deleting }: ObservedRecord, what: string): CommandAnswer | undefined {
  if (isOver(phase)) return { kind: 'refused', code: 'RunOver', message: `run "${name}" is over (it ${phase === 'Cancelled' ? 'was cancelled' : phase.toLowerCase()}) and cannot be ${what} any more` };
  return deleting ? { kind: 'refused', code: 'RunGone', message: `run "${name}" is being deleted` } : undefined;
}

/** More help nobody. */
const mostListed = 20;

function unfit({ steps, finally: after }: WorkflowSpec, run: string, step: string): CommandAnswer | undefined {
  const all = [...steps, ...after];
  const found = all.find(({ name }) => name === step);
  if (found && waitsForSomebody(found)) return undefined;
  const approvals = all.filter(waitsForSomebody).map(({ name }) => name);
  const listed = approvals.slice(0, mostListed).join(', ');
  if (found) return { kind: 'refused', code: 'NoApproval', message: `step "${step}" waits for no approval; ${listed === '' ? 'no step of it does' : `these do: ${listed}`}` };
  const guess = nearest(step, approvals);
  const advice = guess === undefined ? (listed === '' ? 'no step of it waits for an approval' : `steps that wait for an approval: ${listed}`) : `did you mean "${guess}"?`;
  return { kind: 'refused', code: 'UnknownStep', message: `run "${run}" has no step "${step}"; ${advice}` };
}

function waitsForSomebody({ work }: StepSpec): boolean {
  return work.kind === 'approve';
}

/** What others wrote stays as it is. */
function withApproval(text: string | undefined, step: string, word: Approval['word']): string {
  const others = (text ?? '').split(',').map((part) => part.trim()).filter((part) => part !== '' && part.split('=')[0]?.trim() !== step);
  return [...others, word === 'approved' ? step : `${step}=rejected`].join(',');
}
