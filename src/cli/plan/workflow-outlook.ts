/** What would become of a workflow or a template: of its runs, and of the next one. */
import type { WorkflowAction, WorkflowPlan } from '../../plan/workflow/action.ts';
import { isFinished } from '../../plan/workflow/records.ts';
import type { ObservedWorkflow } from '../../plan/workflow/observed.ts';
import { planWorkflow } from '../../plan/workflow/plan-workflow.ts';
import { planRun } from '../../plan/run/plan-run.ts';
import { requestFor, type ObservedRecord } from '../../plan/run/record.ts';
import { isRunnable } from '../../spec/parsed.ts';
import { refusalIn } from '../live/controller-word.ts';
import { observeRun, observeWorkflow } from '../live/observe.ts';
import type { SpecChange } from './changes.ts';
import { assumed, unheld, type Consequence, type Outlook, type OutlookDeps } from './outlook.ts';

export async function workflowOutlook(deps: OutlookDeps, change: SpecChange): Promise<Outlook> {
  const { live, environment } = deps;
  const plan = (observed: ObservedWorkflow): WorkflowPlan => planWorkflow(observed, environment, live.now);
  const hash = change.after?.parsed.hash ?? '';
  const first = observeWorkflow(live, change.key, change.claims, undefined);
  const [demanded] = plan({ ...first, claims: unheld(change.claims), records: [] }).demands;
  const checked = demanded && (await deps.check?.(demanded));
  const observed: ObservedWorkflow = { ...first, verdict: assumed(hash, checked, live.now), refusal: refusalIn(change.before?.word, hash, live.now) };
  const then = plan(observed);
  const status = then.statuses.find(({ claim }) => claim === change.index)?.status;
  const next = status?.schedule?.next;
  return {
    stand: status,
    existing: consequences(change, observed, then),
    starts: then.actions.flatMap((action) => (action.kind === 'createRun' || action.kind === 'admitRun' ? [startText(deps, change, action)] : [])),
    next: next === undefined ? undefined : Date.parse(next),
    checked,
  };
}

/** Each run that is not over, and finished ones that go. */
function consequences({ after, removed }: SpecChange, { records }: ObservedWorkflow, { actions }: WorkflowPlan): readonly Consequence[] {
  const gone = new Set(after ? [] : removed.flatMap(({ claim: { source } }) => (source.kind === 'configMap' ? [source.uid] : [])));
  return records.flatMap((record): Consequence[] => {
    const subject = `run/${record.name}`;
    const what = actions.filter((action) => 'record' in action && action.record.uid === record.uid).flatMap(whatOf);
    if (what.length > 0) return what.map((one) => ({ subject, what: one }));
    if (record.ownerUid !== undefined && gone.has(record.ownerUid)) return [{ subject, what: isFinished(record) ? 'is deleted with its ConfigMap' : 'is deleted with its ConfigMap, and its Jobs with it (onSpecDelete: delete)' }];
    return isFinished(record) ? [] : [{ subject, what: staysText(record, after !== undefined) }];
  });
}

function whatOf(action: WorkflowAction): string[] {
  switch (action.kind) {
    case 'cancelRun':
      return [`is cancelled: ${action.because}`];
    case 'reownRun':
      return [`is handed over to ConfigMap "${action.owner.name}"`];
    case 'deleteRun':
      return ['is deleted: retention keeps no more'];
    case 'admitRun':
    case 'createRun':
      return [];
  }
}

function staysText({ phase }: ObservedRecord, isDefined: boolean): string {
  if (phase !== 'Queued') return 'goes on with the text and the files that it began with';
  return isDefined ? 'waits for its turn, and starts with the text as it is then' : 'stays queued until something defines it again';
}

type Start = Extract<WorkflowAction, { kind: 'createRun' | 'admitRun' }>;

function startText(deps: OutlookDeps, change: SpecChange, action: Start): string {
  const what = action.kind === 'createRun' ? `run "${action.name}" is created` : `run "${action.record.name}" starts`;
  const steps = action.kind === 'createRun' ? firstSteps(deps, change, action) : [];
  return `${what}: ${action.because}${steps.length === 0 ? '' : `; it begins with ${steps.map((step) => `"${step}"`).join(', ')}`}`;
}

/** More names than anybody reads. */
const mostNames = 5;

/** The steps whose Jobs the first round of the run would create. */
function firstSteps({ live, environment }: OutlookDeps, { after, key }: SpecChange, { name, request, parameters }: Extract<Start, { kind: 'createRun' }>): readonly string[] {
  const spec = after?.parsed.spec;
  if (!isRunnable(spec)) return [];
  const record: ObservedRecord = {
    name,
    uid: 'planned',
    resourceVersion: '',
    createdAt: live.now,
    deleting: false,
    ownerUid: undefined,
    target: key,
    request: { ...requestFor({ kind: spec.kind === 'Workflow' ? 'workflow' : 'template', name: spec.name }), ...request },
    phase: 'Running',
    result: undefined,
    commands: { cancel: undefined, suspend: false, approvals: new Map() },
  };
  const observed = observeRun(live, { stored: { record, data: undefined, parameters, state: undefined }, spec, earlier: undefined });
  const names = planRun({ ...observed, specGone: false }, environment, live.now).actions.flatMap((action) => (action.kind === 'createStepJob' || action.kind === 'createSubRun' ? [action.step] : []));
  const distinct = [...new Set(names)];
  return distinct.length > mostNames ? [...distinct.slice(0, mostNames), `… and ${distinct.length - mostNames} more`] : distinct;
}
