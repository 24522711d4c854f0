/** Why a workflow starts no run: what is under way, what waits for its turn, when the next one is due. */
import type { WorkflowPlan } from '../../plan/workflow/action.ts';
import { isQueued } from '../../plan/workflow/admission.ts';
import type { ObservedRecord } from '../../plan/run/record.ts';
import { planWorkflow } from '../../plan/workflow/plan-workflow.ts';
import { isActive } from '../../plan/workflow/records.ts';
import { observeWorkflow } from '../live/observe.ts';
import type { LiveSpec } from '../live/live-cluster.ts';
import { specTitle } from '../live/spec-key.ts';
import { definitionOf, losersOf, toldOf, undefinedSpec, type Definition } from './explain-spec.ts';
import { few, link, type Link } from './link.ts';
import { unblockOf, type View } from './view.ts';

/** How a run is explained; `deep`: with its steps. */
export type ExplainRun = (view: View, record: ObservedRecord) => Promise<Link>;

/** Of whatever has runs. Runs that are under way are explained by `explainRun`, the first few of them. */
export async function explainWorkflow(view: View, key: LiveSpec['key'], named: Pick<LiveSpec, 'kind' | 'name'>, explainRun: ExplainRun): Promise<Link> {
  const definition = definitionOf(view, key);
  const records = recordsOf(view, key);
  const active = await Promise.all(records.filter(isActive).slice(0, 3).map((record) => explainRun(view, record)));
  const more = records.filter(isActive).slice(3).map(shortly);
  const queued = records.filter(({ phase }) => phase === 'Queued').map(shortly);
  const because = [...active, ...few(more, 'runs'), ...few(queued, 'runs that wait'), ...losersOf(view, definition)];
  return explainAdmission(view, key, named, because);
}

/** The same without its runs, for runs that wait for it: nothing is read for that. */
export function explainAdmission(view: View, key: LiveSpec['key'], { kind, name }: Pick<LiveSpec, 'kind' | 'name'>, because: readonly Link[] = []): Link {
  const definition = definitionOf(view, key);
  const { winner } = definition;
  const status = statusOf(view, key, definition);
  if (!winner || !status) return undefinedSpec(view, { kind, name }, because);
  const told = toldOf(status, winner);
  const next = status.schedule?.next;
  return link({
    subject: specTitle(kind, name),
    ...told,
    until: next === undefined ? undefined : Date.parse(next),
    unblock: unblockOf(view, winner, told.reason),
    because,
  });
}

function statusOf(view: View, key: LiveSpec['key'], { claims, winner, index }: Definition): WorkflowPlan['statuses'][number]['status'] | undefined {
  const { live, environment } = view;
  const plan = planWorkflow(observeWorkflow(live, key, claims, winner?.word), environment, live.now);
  return plan.statuses.find(({ claim }) => claim === index)?.status;
}

/** Oldest first: who came first is served first. */
export function recordsOf({ live }: View, key: LiveSpec['key']): readonly ObservedRecord[] {
  return live.records.filter(({ target }) => target.kind === key.kind && target.name === key.name).toSorted((left, right) => left.createdAt - right.createdAt || (left.name < right.name ? -1 : 1));
}

/** A run that stands beside others in a list. */
function shortly(record: ObservedRecord): Link {
  const { name, phase, commands, createdAt, result } = record;
  const since = result?.startedAt ?? createdAt;
  if (phase !== 'Queued') return link({ subject: `run/${name}`, state: phase, reason: '', message: '', since });
  const message = isQueued(record) ? 'waits for its turn' : commands.cancel === undefined ? 'is suspended' : `is being cancelled: ${commands.cancel}`;
  return link({ subject: `run/${name}`, state: phase, reason: 'RunQueued', message, since });
}

/** The runs that take the places of a workflow, in short: for a run that waits for one of them. */
export function holdersOf(view: View, key: LiveSpec['key']): readonly Link[] {
  return few(recordsOf(view, key).filter(isActive).map(shortly), 'runs');
}
