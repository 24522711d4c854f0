/** How long a Job for a message is waited for: as any other, but that its content may be what is missing. */
import { hasStarted } from '../job-state.ts';
import { patience, type Patience } from '../give-up.ts';
import type { Observed, ObservedJob } from '../observed.ts';
import { earlySuccess } from './early-success.ts';
import { isStored } from './stored.ts';
import { isMessageJob, noMessages } from './view.ts';

/** The kubelet's word for a variable whose Secret is not there. */
const missingSecret = 'CreateContainerConfigError';

/**
 * Without its content, and without a lease that could bring it, a Job waits for another delivery until its startTimeout: it
 * is not its fault, nor that of the template.
 */
export function messagePatience(observed: Observed): (job: ObservedJob, explanations: ReadonlyMap<string, string>, now: number) => Patience {
  const view = observed.messages ?? noMessages;
  const inHand = new Set(view.leases.map(({ id }) => id));
  return (job, explanations, now) => {
    // What is seen to have done its work is not given up on in the round that writes that down.
    if (earlySuccess(job)) return { until: undefined };
    if (!isMessageJob(job) || job.message.settled || hasStarted(job) || isStored(job, view)) return patience(job, explanations, now);
    const pods = job.pods.map((pod) => (pod.waiting?.reason === missingSecret ? { ...pod, waiting: undefined } : pod));
    const verdict = patience({ ...job, pods }, explanations, now);
    if (!('giveUp' in verdict) || verdict.giveUp.reason !== 'StartTimeout' || inHand.has(job.message.note.id)) return verdict;
    const message = 'the content of its message could not be stored, and the message was not delivered again';
    return { giveUp: { reason: 'PayloadLost', outcome: { phase: 'ending', outcome: 'errored', reason: 'PayloadLost', message } } };
  };
}
