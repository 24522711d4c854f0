/** What would become of a queue: of its live Job, and of the next one. */
import type { Action, Plan } from '../../plan/action.ts';
import { isLive } from '../../plan/job-state.ts';
import type { DepthReading, Observed, ObservedJob } from '../../plan/observed.ts';
import { planQueue } from '../../plan/queue.ts';
import { numberAt, objectAt } from '../../lib/json.ts';
import { formatDuration } from '../../lib/duration.ts';
import { observeQueue } from '../live/observe.ts';
import { refusalIn } from '../live/controller-word.ts';
import type { SpecChange } from './changes.ts';
import { assumed, unheld, type Consequence, type Outlook, type OutlookDeps } from './outlook.ts';

export async function queueOutlook(deps: OutlookDeps, change: SpecChange): Promise<Outlook> {
  const { live, environment } = deps;
  const plan = (observed: Observed): Plan => planQueue(observed, environment, live.now);
  const hash = change.after?.parsed.hash ?? '';
  const first = observeQueue(live, change.key, change.claims, undefined);
  const demanded = plan({ ...first, claims: unheld(change.claims), jobs: [], orphans: [] }).demands.find((demand) => demand.kind === 'verdict');
  const checked = demanded && (await deps.check?.(demanded));
  const observed: Observed = { ...first, verdict: assumed(hash, checked, live.now), refusal: refusalIn(change.before?.word, hash, live.now) };
  const then = plan(observed);
  const status = then.statuses.find(({ claim }) => claim === change.index)?.status;
  return {
    stand: status,
    existing: consequences(change, observed, then),
    starts: await startsOf(deps, observed, plan),
    next: then.wakeAt,
    checked,
  };
}

/** Each live Job, and finished ones that go. */
function consequences({ after, removed }: SpecChange, { jobs }: Observed, { actions }: Plan): readonly Consequence[] {
  const gone = new Set(after ? [] : removed.flatMap(({ claim: { source } }) => (source.kind === 'configMap' ? [source.uid] : [])));
  return jobs.flatMap((job): Consequence[] => {
    const mine = actions.filter((action) => 'job' in action && action.job.uid === job.uid);
    const what = mine.flatMap(whatOf);
    const subject = `job/${job.name}`;
    if (what.length > 0) return what.map((one) => ({ subject, what: one }));
    if (job.ownerUid !== undefined && gone.has(job.ownerUid)) return [{ subject, what: isLive(job) ? 'is ended: it is deleted with its ConfigMap (onSpecDelete: delete)' : 'is deleted with its ConfigMap' }];
    return isLive(job) ? [{ subject, what: staysText(job, after?.parsed.hash) }] : [];
  });
}

function whatOf(action: Action): string[] {
  switch (action.kind) {
    case 'end':
      return [`is ended: ${action.because}`];
    case 'reown':
      return [`is handed over to ConfigMap "${action.owner.name}"`];
    case 'delete':
      return ['is deleted: retention keeps no more'];
    case 'scale':
      return [`gets ${action.parallelism} pods`];
    // Nothing that anybody sees.
    case 'mark':
    case 'create':
    case 'resolve':
      return [];
  }
}

function staysText(job: ObservedJob, hash: string | undefined): string {
  if (hash === undefined) return 'goes on to its end (onSpecDelete: finish)';
  return job.specHash === hash ? 'goes on' : 'goes on with the text that it was made from (onSpecChange: keep); the next one has the new text';
}

async function startsOf({ depth }: OutlookDeps, observed: Observed, plan: (observed: Observed) => Plan): Promise<readonly string[]> {
  const demand = plan(observed).demands.find((one) => one.kind === 'depth');
  if (!demand) return [];
  const reading = (ready: number): DepthReading => ({ question: demand.question, at: 0, result: { kind: 'known', ready, nextReadyAt: undefined } });
  const started = (ready: number): string => startText(plan({ ...observed, depth: reading(ready) }));
  // A live Job is asked about, too: whether it should have more pods.
  if (observed.jobs.some(isLive)) return [];
  const known = await depth?.(demand);
  if (known?.kind === 'known') return [`${known.ready === 0 ? 'no message is ready' : `${known.ready < demand.upTo ? '' : 'at least '}${known.ready} ready`}: ${known.ready === 0 ? 'nothing starts' : started(known.ready)}`];
  const [few, many] = [started(1), started(demand.upTo)];
  const more = few === many ? [] : [`if ${demand.upTo} or more wait: ${many}`];
  return [
    ...(known ? [`the queue cannot be asked: ${known.message}`] : ['how many messages wait is not known from here (--connections asks)']),
    `if a message waits: ${few}`,
    ...more,
    `if none waits: nothing starts; the queue is looked at every ${formatDuration(demand.every)}`,
  ];
}

function startText({ actions, statuses }: Plan): string {
  const create = actions.find((action) => action.kind === 'create');
  if (!create) return statuses[0]?.status.message ?? 'nothing starts';
  const pods = numberAt(objectAt(create.blueprint.manifest, 'spec'), 'parallelism') ?? 1;
  return `a Job with ${pods} ${pods === 1 ? 'pod' : 'pods'} is created`;
}
