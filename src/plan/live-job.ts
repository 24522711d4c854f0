/** What a queue stands at while its Job lives, and whether that Job gets more pods. */
import type { Draft, Stand } from './draft.ts';
import { whyNotStarted } from './give-up.ts';
import { isAlive, jobState, type JobState } from './job-state.ts';
import { mayBeReplaced } from './messages/replace.ts';
import type { Observed, ObservedJob } from './observed.ts';
import type { QueueRound } from './round.ts';
import { depthDemand, podsFor } from './start.ts';
import { endAction, refOf } from './upkeep.ts';

/** States in which a Job can be replaced or scaled. */
const changeable: ReadonlySet<JobState> = new Set(['running', 'starting', 'podless', 'suspended']);

/** What the queue stands at with it; ends it, or gives it more pods, where that is due. */
export function planLiveJob(draft: Draft, round: QueueRound, job: ObservedJob): Stand {
  const open = changeable.has(jobState(job)) && !draft.ends(job.uid);
  const older = job.specHash !== round.spec.hash;
  // Under suspend, of the spec or of the instance, what runs may finish, and an observer changes nothing.
  const held = round.spec.suspend || round.spec.observe || round.observed.room?.halted === true;
  if (open && older && !held && isReplaced(round, job)) {
    draft.act(endAction(job, 'SpecChanged', { outcome: 'errored', reason: 'SpecChanged', message: 'the spec changed and onSpecChange is replace' }));
  } else if (open && !older && !held) {
    planScale(draft, round, job);
  }
  return liveStand(job, round.observed);
}

function isReplaced({ spec }: QueueRound, job: ObservedJob): boolean {
  return spec.onSpecChange === 'replace' && mayBeReplaced(job);
}

/** What a live Job is at. `explanations`: Event texts by the UID of a Job or pod. */
export function liveStand(job: ObservedJob, observed: Pick<Observed, 'explanations'>): Stand {
  const name = `Job "${job.name}"`;
  switch (jobState(job)) {
    case 'deleting':
      return { state: 'Ending', reason: 'PodsRemain', message: `${name} is being deleted${livingPod(job)}` };
    case 'lingering':
      return { state: 'Ending', reason: 'PodsRemain', message: `${name} has ended${livingPod(job)}` };
    case 'done':
      return { state: 'Ending', reason: 'PodsRemain', message: `${name} has done its work${livingPod(job)}` };
    case 'ending':
      return { state: 'Ending', reason: 'JobEnding', message: `${name} is being ended: ${job.recorded?.message ?? ''}${livingPod(job)}` };
    case 'suspended':
      return { state: 'Starting', reason: 'JobSuspended', message: `${name} is suspended` };
    case 'running':
      return { state: 'Running', reason: 'JobRunning', message: `${name} is running` };
    case 'podless':
    case 'starting':
      return startingStand(job, observed);
    case 'finished':
      return { state: 'Running', reason: 'JobRunning', message: `${name} has finished` };
  }
}

function startingStand(job: ObservedJob, observed: Pick<Observed, 'explanations'>): Stand {
  const why = whyNotStarted(job, observed.explanations);
  if (jobState(job) === 'podless' && why !== undefined) return { state: 'Starting', reason: 'NoPodCreated', message: `Job "${job.name}" has no pod: ${why}` };
  return { state: 'Starting', reason: 'JobStarting', message: why === undefined ? `Job "${job.name}" is starting` : `Job "${job.name}" is starting: ${why}` };
}

function livingPod(job: ObservedJob): string {
  const pod = job.pods.find(isAlive);
  if (!pod) return '';
  return `; pod "${pod.name}" still lives${pod.node === undefined ? '' : ` on node "${pod.node}"`}`;
}

/**
 * More pods while the depth grows, never fewer: a pod that is taken away may hold a message. Once a pod has ended the
 * Job controller starts no more of them (a work-queue Job is done when one has succeeded).
 */
function planScale(draft: Draft, round: QueueRound, job: ObservedJob): void {
  const { spec, observed } = round;
  const ended = job.succeededPods + job.failedPods > 0 || job.pods.some((pod) => !isAlive(pod));
  if (ended || job.parallelism >= spec.drain.pods.max) return;
  const question = `scale ${job.name} from ${job.parallelism}`;
  draft.demand(depthDemand(spec, question));
  const reading = observed.depth;
  if (reading?.question !== question || reading.result.kind !== 'known') return;
  const wanted = podsFor(spec, reading.result.ready);
  if (wanted <= job.parallelism) return;
  draft.act({ kind: 'scale', reason: 'QueueGrew', because: `${reading.result.ready} messages are ready`, job: refOf(job), parallelism: wanted });
}
