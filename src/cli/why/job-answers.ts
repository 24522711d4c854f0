/** What would end a wait for a Job or a pod, or for the API server. */
import type { Reason } from '../../plan/reason.ts';
import { byItself, command, nothing, type Answer } from './answer.ts';

const describe = (kind: string): Answer => (facts) => command(`kubectl describe ${kind} ${facts.object ?? 'NAME'}`, facts);

export const jobAnswers = {
  JobCreated: byItself('it is not in view yet'),
  JobStarting: (facts) => `if the message does not say enough: ${describe('job')(facts)}`,
  JobSuspended: (facts) => `${command(`kubectl patch job ${facts.object ?? 'NAME'} --type merge -p '{"spec":{"suspend":false}}'`, facts)}, unless Kueue holds it`,
  JobRunning: byItself('the next one starts when it has ended'),
  JobSucceeded: nothing,
  JobFailed: (facts) => `see its log: ${command(`kubectl logs job/${facts.object ?? 'NAME'}`, facts)}`,
  JobErrored: () => 'look at the nodes, if it is not rare',
  JobNotStarted: (facts) => `correct image, Secrets or capacity: ${describe('job')(facts)}`,
  JobEnding: byItself('its pods have their grace period'),
  Unschedulable: (facts) => `add nodes, or let the pods ask for less: ${describe('job')(facts)}`,
  VerdictDiffers: byItself('the message is done, whatever the Job says'),
  JobDeleted: (facts) => `nothing: it goes on after a pause; to stop a ${facts.kind}, set suspend: true`,
  JobNameTaken: (facts) => `delete or rename that Job: ${command(`kubectl get job ${facts.object ?? 'NAME'} -o yaml`, facts)}`,
  NoPodCreated: describe('job'),
  PodFatal: () => 'correct what the message names',
  PodsRemain: (facts) => `wait for the pod; if its node is gone for sure: ${command(`kubectl delete pod ${facts.object ?? 'NAME'} --force`, facts)}`,
  StartTimeout: () => 'see why pods wait, or raise startTimeout',
  Timeout: () => 'raise timeout, or look for what hangs',
  WaitAfterSucceeded: byItself('the queue is looked at again at that time; lower drain.waitAfter.succeeded, if that is too late'),
  WaitAfterFailed: (facts) => `correct the worker; an edit of ${facts.kind} "${facts.name}" starts at once`,
  WaitAfterNotStarted: (facts) => `correct image, Secrets or capacity; an edit of ${facts.kind} "${facts.name}" starts at once`,
  WaitAfterRefused: (facts) => `see the message; an edit of ${facts.kind} "${facts.name}" starts at once`,
  BreakerOpen: (facts) => `correct the cause; the first success, or an edit of ${facts.kind} "${facts.name}", closes it`,
  RetentionExceeded: nothing,
  BeforeDeleteFailed: () => 'mend what is called (beforeDelete of the spec): until it answers with 2xx nothing is deleted',
  CreateRefused: () => 'correct what the message names; it is tried again now and then, and at once after an edit',
  PolicyDenied: () => "use what the operator's policy allows, or have it changed: the message names the rule",
  QuotaExceeded: (facts) => `have the quota raised, or lower what runs: ${command('kubectl describe quota', facts)}`,
  Forbidden: () => 'compare the Roles of job-chief with manifests/base',
  AnswerUnknown: byItself('it is looked up by its name'),
  CacheBehind: byItself('the watch catches up'),
} as const satisfies Partial<Record<Reason, Answer>>;
