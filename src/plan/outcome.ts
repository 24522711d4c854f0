/** How a finished Job came out, read while its pods still tell. */
import { isAlive } from './job-state.ts';
import type { RecordedOutcome } from './notes.ts';
import type { ContainerFailure, ObservedJob, ObservedPod } from './observed.ts';

/** Container reasons that mean the process never ran: the command is wrong, not the work. */
const neverRan: ReadonlySet<string> = new Set(['StartError', 'ContainerCannotRun', 'CreateContainerError', 'RunContainerError']);

/** The runtime no longer knew the container: its node was restarted, or lost it. The exit code that goes with it is made up. */
const lostContainer = 'ContainerStatusUnknown';

export const succeeded: RecordedOutcome = { phase: 'final', outcome: 'succeeded', reason: 'Completed', message: '' };

/**
 * The outcome of a Job with a terminal condition. What was written before wins over what can be seen now, since pods go
 * away; but a Job that completed although it was given up on has succeeded.
 */
export function finalOutcome(job: ObservedJob): RecordedOutcome | undefined {
  if (!job.finished) return undefined;
  if (job.recorded?.phase === 'final') return job.recorded;
  if (job.finished.condition === 'Complete') return succeeded;
  if (job.recorded) return { ...job.recorded, phase: 'final' };
  return fromPods(job) ?? fromCondition(job.finished);
}

/**
 * A pod that failed by itself tells why the Job did. An evicted one does so only when there is no such pod (it may have
 * been replaced before), and one that is deleted was stopped together with its Job.
 */
function fromPods(job: ObservedJob): RecordedOutcome | undefined {
  const failed = job.pods.filter((pod) => pod.phase === 'Failed' || pod.failures.length > 0);
  // The pod's own deadline, which only whole manifests can set.
  const late = failed.find((pod) => pod.reason === 'DeadlineExceeded');
  if (late) return { phase: 'final', outcome: 'failed', reason: 'Timeout', message: `pod ${late.name} was active longer than its own deadline` };
  const own = failed.filter((pod) => !pod.disrupted && !pod.deleting).flatMap((pod) => pod.failures)[0];
  if (own) return fromContainer(own);
  const disrupted = failed.find((pod) => pod.disrupted || pod.reason !== undefined);
  if (disrupted) return { phase: 'final', outcome: 'errored', reason: disrupted.reason ?? 'DisruptionTarget', message: `pod ${disrupted.name} ${whatHappened(disrupted)}` };
  const failure = failed.flatMap((pod) => pod.failures)[0];
  return failure && fromContainer(failure);
}

function whatHappened(pod: ObservedPod): string {
  return pod.reason === 'Evicted' ? 'was evicted' : 'was taken off its node';
}

function fromContainer(failure: ContainerFailure): RecordedOutcome {
  const said = failure.message.trim();
  // Error says no more than the exit code; OOMKilled does.
  const why = failure.reason === '' || failure.reason === 'Error' ? '' : ` (${failure.reason})`;
  const message = `container "${failure.container}" exited with ${failure.exitCode}${why}${said === '' ? '' : `: ${said}`}`;
  const outcome = neverRan.has(failure.reason) ? 'notStarted' : failure.reason === lostContainer ? 'errored' : 'failed';
  return { phase: 'final', outcome, reason: failure.reason === '' ? 'Error' : failure.reason, message, exitCode: failure.exitCode };
}

/** Nothing is left but the Job controller's word, for instance when its pods were deleted by hand. */
function fromCondition(finished: NonNullable<ObservedJob['finished']>): RecordedOutcome {
  const reason = finished.reason === '' ? 'JobFailed' : finished.reason;
  return { phase: 'final', outcome: 'failed', reason: reason === 'DeadlineExceeded' ? 'Timeout' : reason, message: finished.message };
}

/** The Job controller's word in one line. */
export function verdictText({ condition, reason, message }: NonNullable<ObservedJob['finished']>): string {
  return [condition, reason, message].filter((part) => part !== '').join(': ');
}

/**
 * Whether pods may still tell why the Job failed. They come by another watch than Jobs: one that still runs here has ended
 * in truth.
 */
export function mayTellMore(job: ObservedJob): boolean {
  return job.finished?.condition === 'Failed' && job.recorded === undefined && job.pods.some((pod) => isAlive(pod) && pod.step?.done === undefined);
}
