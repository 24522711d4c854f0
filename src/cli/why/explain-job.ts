/** A Job as a reason for something: how it stands, since when, until when, and what its pods say. */
import { earliest, patience } from '../../plan/give-up.ts';
import { isAlive, isLive } from '../../plan/job-state.ts';
import { liveStand } from '../../plan/live-job.ts';
import type { ObservedJob, ObservedPod } from '../../plan/observed.ts';
import { finalOutcome } from '../../plan/outcome.ts';
import { few, link, type Link } from './link.ts';

export interface JobFacts {
  readonly now: number;
  readonly explanations: ReadonlyMap<string, string>;
  /** What would end a wait for this reason and object. */
  readonly unblock: (reason: string, object: string) => string;
}

export function explainJob(job: ObservedJob, facts: JobFacts): Link {
  return isLive(job) ? explainLive(job, facts) : explainEnded(job);
}

/** When its first container started, else when the Job controller took it up. */
export function busySince(job: ObservedJob): number {
  return earliest([job.ranAt, ...job.pods.map(({ startedAt }) => startedAt)]) ?? job.startedAt ?? job.createdAt;
}

function explainLive(job: ObservedJob, facts: JobFacts): Link {
  const { state, reason, message } = liveStand(job, facts);
  const limit = patience(job, facts.explanations, facts.now);
  const [alive] = job.pods.filter(isAlive);
  return link({
    subject: `job/${job.name}`,
    state, reason, message,
    since: busySince(job),
    until: 'until' in limit ? limit.until : facts.now,
    unblock: facts.unblock(reason, reason === 'PodsRemain' && alive ? alive.name : job.name),
    because: few(job.pods.filter((pod) => isAlive(pod) && !pod.started).map((pod) => explainPod(pod, facts)), 'pods'),
  });
}

/** A pod that has not started, in the words of the scheduler, the kubelet, or an Event. */
function explainPod(pod: ObservedPod, { explanations }: JobFacts): Link {
  const told = pod.waiting ?? pod.unscheduled;
  const message = told?.message ?? explanations.get(pod.uid) ?? 'it says nothing yet';
  const where = pod.waiting ? `container "${pod.waiting.container}": ` : '';
  return link({ subject: `pod/${pod.name}`, state: pod.phase, reason: told?.reason ?? '', message: `${where}${message}`, since: pod.createdAt });
}

function explainEnded(job: ObservedJob): Link {
  const outcome = finalOutcome(job);
  const state = outcome === undefined ? 'Finished' : `${outcome.outcome.charAt(0).toUpperCase()}${outcome.outcome.slice(1)}`;
  return link({ subject: `job/${job.name}`, state, reason: outcome?.reason ?? '', message: outcome?.message ?? '', since: job.finished?.at });
}
