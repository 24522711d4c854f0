/** Why a queue starts no Job, or what its Job does. */
import { planQueue } from '../../plan/queue.ts';
import { isLive, newestFirst } from '../../plan/job-state.ts';
import type { Observed } from '../../plan/observed.ts';
import type { QueueSpec } from '../../spec/queue.ts';
import type { ObservedRecord } from '../../plan/run/record.ts';
import { isOver } from '../../plan/run/summary.ts';
import { waitAfterRuns } from '../../plan/wait.ts';
import { observeQueue } from '../live/observe.ts';
import type { LiveSpec } from '../live/live-cluster.ts';
import { specTitle } from '../live/spec-key.ts';
import { explainJob, busySince, type JobFacts } from './explain-job.ts';
import { definitionOf, losersOf, toldOf, undefinedSpec } from './explain-spec.ts';
import type { ExplainRun } from './explain-workflow.ts';
import { explainFew, few, link, type Link } from './link.ts';
import { explanationsFor, quotaLinks, unblockOf, type View } from './view.ts';

/** Jobs that a wait is counted from, at most. */
const mostEnded = 3;

export async function explainQueue(view: View, key: LiveSpec['key'], { kind, name }: Pick<LiveSpec, 'kind' | 'name'>, explainRun: ExplainRun): Promise<Link> {
  const { live, environment } = view;
  const definition = definitionOf(view, key);
  const { claims, winner, index } = definition;
  const first = observeQueue(live, key, claims, winner?.word);
  const observed = { ...first, explanations: await explanationsFor(view, planQueue(first, environment, live.now).demands) };
  const facts: JobFacts = { now: live.now, explanations: observed.explanations, unblock: (reason, object) => unblockOf(view, winner ?? { kind, name }, reason, { object }) };
  const jobs = observed.jobs.filter(isLive).map((job) => explainJob(job, facts));
  const status = planQueue(observed, environment, live.now).statuses.find(({ claim }) => claim === index)?.status;
  const runs = await explainFew(liveRuns(observed), 'runs', (record) => explainRun(view, record));
  if (!winner || !status) return undefinedSpec(view, { kind, name }, [...few([...jobs, ...orphans(observed)], 'Jobs'), ...runs]);
  const told = toldOf(status, winner);
  const { spec } = winner.claim.parsed;
  const times = spec?.kind === 'Queue' ? timesOf(spec, observed, told.reason) : {};
  return link({
    subject: specTitle(kind, name),
    ...told,
    ...times,
    unblock: unblockOf(view, winner, told.reason, { object: observed.jobs.find(isLive)?.name }),
    because: [...(await quotaLinks(view, told.reason)), ...few(jobs, 'Jobs'), ...runs, ...orphans(observed), ...ended(observed, told.reason, facts), ...losersOf(view, definition)],
  });
}

/** Runs that its messages started and that are not over, the oldest first. */
function liveRuns({ messages }: Observed): readonly ObservedRecord[] {
  return (messages?.runs ?? []).filter(({ phase }) => !isOver(phase)).toSorted((left, right) => left.createdAt - right.createdAt);
}

const waits: ReadonlySet<string> = new Set(['WaitAfterSucceeded', 'WaitAfterFailed', 'WaitAfterNotStarted', 'WaitAfterRefused', 'BreakerOpen']);

function timesOf(spec: QueueSpec, { jobs }: Observed, reason: string): Partial<Link> {
  const [live] = jobs.filter(isLive);
  if (live) return { since: busySince(live) };
  const wait = spec.mode === 'drain' && waits.has(reason) ? waitAfterRuns(spec, jobs) : undefined;
  return wait ? { since: newestFirst(jobs)[0]?.finished?.at, until: wait.until } : {};
}

/** The Jobs whose outcomes the wait is counted from. */
function ended({ jobs }: Observed, reason: string, facts: JobFacts): readonly Link[] {
  if (!waits.has(reason)) return [];
  return newestFirst(jobs.filter((job) => job.finished !== undefined)).slice(0, mostEnded).map((job) => explainJob(job, facts));
}

function orphans({ orphans: pods }: Observed): readonly Link[] {
  return few(pods.map((pod) => link({ subject: `pod/${pod.name}`, state: pod.phase, reason: 'PodsRemain', message: `its Job is gone, and it still lives${pod.node === undefined ? '' : ` on node "${pod.node}"`}`, since: pod.createdAt })), 'pods');
}
