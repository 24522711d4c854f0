/** Plans in tests: what one says in short, and what becomes of an observation when its actions are carried out. */
import type { Action, Plan, State } from '../../src/plan/action.ts';
import { drainJobName } from '../../src/plan/drain-job.ts';
import { isAlive } from '../../src/plan/job-state.ts';
import type { Observed, ObservedJob } from '../../src/plan/observed.ts';
import { plan } from '../../src/plan/plan.ts';
import type { Reason } from '../../src/plan/reason.ts';
import { anEnvironment, noon } from './builders.ts';

export function planAt(observed: Observed, now = noon): Plan {
  return plan(observed, anEnvironment(), now);
}

/** State and reason of the winner. */
export function standing(observed: Observed, now = noon): { state: State | undefined; reason: Reason | undefined; message: string | undefined } {
  const status = planAt(observed, now).statuses[0]?.status;
  return { state: status?.state, reason: status?.reason, message: status?.message };
}

/** Actions in short: kind, reason and Job. */
export function acts({ actions }: Plan): string[] {
  return actions.map((action) => [action.kind, action.reason, ...('job' in action ? [action.job.name] : action.kind === 'resolve' ? [action.jobName] : [])].join(' '));
}

/** The observation once the cluster has taken the actions and the caches show it. Pure, and as small as possible. */
export function afterActions(observed: Observed, actions: readonly Action[]): Observed {
  return actions.reduce(afterAction, observed);
}

function afterAction(observed: Observed, action: Action): Observed {
  switch (action.kind) {
    case 'create': {
      const highest = Math.max(0, ...observed.jobs.map((job) => job.sequence ?? 0));
      return { ...observed, reservations: [...observed.reservations, { jobName: drainJobName(action.blueprint, highest + 1), state: 'created' }] };
    }
    case 'resolve':
      return { ...observed, reservations: observed.reservations.filter((reservation) => reservation.jobName !== action.jobName) };
    case 'delete':
      return { ...observed, jobs: observed.jobs.filter((job) => job.uid !== action.job.uid) };
    case 'end':
      return withJob(observed, action.job.uid, (job) => ({ ...job, recorded: action.outcome, activeDeadlineSeconds: 1, ...(action.suspended ? { suspended: false, parallelism: 0 } : {}) }));
    case 'scale':
      return withJob(observed, action.job.uid, (job) => ({ ...job, parallelism: action.parallelism }));
    case 'mark':
      return withJob(observed, action.job.uid, (job) => ({ ...job, recorded: action.outcome }));
    case 'reown':
      return withJob(observed, action.job.uid, (job) => ({ ...job, ownerUid: action.owner.uid }));
  }
}

function withJob(observed: Observed, uid: string, change: (job: ObservedJob) => ObservedJob): Observed {
  return { ...observed, jobs: observed.jobs.map((job) => (job.uid === uid ? change(job) : job)) };
}

/** The Job controller's answer to an end: failed, its pods gone. */
export function afterVerdicts(observed: Observed, now = noon): Observed {
  const jobs = observed.jobs.map((job) =>
    job.recorded?.phase === 'ending' && !job.finished ? { ...job, finished: { condition: 'Failed' as const, reason: 'DeadlineExceeded', message: '', at: now }, pods: job.pods.filter((pod) => !isAlive(pod)) } : job,
  );
  return { ...observed, jobs };
}
