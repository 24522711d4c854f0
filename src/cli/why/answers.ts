/**
 * What would end a wait, for each reason that there is: the compiler and a test hold these to the closed lists, so that
 * none can be added without an answer.
 */
import type { Reason } from '../../plan/reason.ts';
import type { stepReasons } from '../../plan/run/step-reason.ts';
import { byItself, command, edit, nothing, type Answer, type AnswerFacts } from './answer.ts';
import { jobAnswers } from './job-answers.ts';
import { messageAnswers } from './message-answers.ts';

export type StepReason = keyof typeof stepReasons;

const runOf = ({ run, name }: AnswerFacts): string => run ?? name;

const specAnswers = {
  SpecAccepted: nothing,
  SpecRejected: (facts) => edit('correct what the message names', facts),
  SpecSuperseded: (facts) => `delete the older one (${command(`kubectl delete configmap ${facts.configMap ?? 'NAME'}`, facts)}), or give one of them another name`,
  SpecChecking: byItself('it takes a second; if it lasts, see that a controller runs for this namespace and instance'),
  SpecSuspended: (facts) => edit('set suspend: false', facts),
  SpecObserved: (facts) => edit('remove observe: true', facts),
  SpecDeleted: (facts) => `apply ${facts.kind} "${facts.name}" again, if it was deleted by mistake`,
  SpecChanged: byItself('Jobs of the older text end, then the new text counts'),
  TemplateRefused: (facts) => facts.runs !== undefined ? `correct ${facts.runs}, or have the policy changed; it is asked again now and then, and at once after an edit` : `${edit('correct the field that the message names', facts)}, or have the policy changed; it is asked again now and then, and at once after an edit`,
  TemplateUnchecked: byItself('it is asked again, at first every second; see that the API server and its webhooks are well'),
  OwnerChanged: nothing,
} as const satisfies Partial<Record<Reason, Answer>>;

const queueAnswers = {
  QueueEmpty: byItself('a Job starts when a message is ready'),
  QueueReady: byItself('the Job is being created'),
  QueueGrew: nothing,
  ConnectionUnknown: (facts) => `${edit('correct source.*.connection', facts)}, or add the connection to the configuration of the controller`,
  QueueUnreachable: () => "see that the queue's server is up: job-chief check connection NAME tries it step by step",
  QueueForbidden: () => 'renew the Secret of the connection, or grant the right to read: job-chief check connection NAME prints the GRANT',
  QueueNotFound: (facts) => `${edit('correct queue and schema', facts)}, or create the queue`,
  QueueUnsupported: () => 'upgrade job-chief, or the queue, to versions that go together: docs/concepts.md has them',
  QueueRefused: (facts) => edit('correct what the message names', facts),
} as const satisfies Partial<Record<Reason, Answer>>;

const runAnswers = {
  WorkflowIdle: nothing,
  WorkflowRunning: byItself('it goes on until its run is over'),
  TemplateRunning: byItself('it goes on until its runs are over'),
  RunQueued: (facts) => `wait for a run before it, cancel one (job-chief cancel RUN -n ${facts.namespace}), or ${edit('raise concurrency.max', facts)}`,
  RunDue: byItself('the run is being started'),
  RunStarted: byItself('the run is beginning'),
  RunSucceeded: nothing,
  RunFailed: (facts) => command(`job-chief rerun ${runOf(facts)}`, facts),
  RunCancelled: (facts) => `to start it again: ${command(`job-chief rerun ${runOf(facts)}`, facts)}`,
  RunReplaced: byItself('a newer run takes its place'),
  RunSuspended: (facts) => command(`job-chief resume ${runOf(facts)}`, facts),
  RunStopping: (facts) => `nothing starts any more; once it is over: ${command(`job-chief rerun ${runOf(facts)}`, facts)}`,
  RunReverting: byItself('what had succeeded is undone, last first'),
  RunFinishing: byItself('the steps of finally run, and what is live ends'),
  RunUnreadable: (facts) => `start a new run: ${command(`job-chief run ${facts.name}`, facts)}`,
  RunChanged: (facts) => `what was asked for first counts; to run it as it is now, apply it under another name (kind: Run, namespace ${facts.namespace})`,
  RunForgotten: (facts) => `it does not run again; to run it again, apply it under another name (kind: Run, namespace ${facts.namespace})`,
  RunCommanded: nothing,
  TargetUnknown: (facts) => `${edit('correct template or workflow', facts)}, or apply the spec that it names`,
  TargetBroken: (facts) => command('job-chief status', facts),
  RequestRefused: () => 'set trigger.onRequest: true in the workflow',
  ParametersRefused: (facts) => edit('correct the parameter that the message names', facts),
  ScheduleMissed: (facts) => `wait for the next time, or start one by hand: ${command(`job-chief run ${facts.name}`, facts)} (where trigger.onRequest is true)`,
  WaitsForSchedule: byItself('the next run starts at its time'),
  WaitsForRequest: (facts) => command(`job-chief run ${facts.name}`, facts),
  StepDue: byItself('the controller creates it; if it stays away, see that a controller runs, and kubectl describe quota'),
  StepRetry: byItself('the next attempt follows'),
  StepSucceeded: nothing,
  StepFailed: (facts) => `see its log, mend it, then ${command(`job-chief rerun ${runOf(facts)}`, facts)}`,
  StepSkipped: nothing,
  WaitsForSteps: byItself('it starts, or is left out, as soon as those have ended'),
  WaitsForApproval: (facts) => command(`job-chief approve ${runOf(facts)} ${facts.step ?? 'STEP'}`, facts),
  WaitsForRetry: byItself('the next attempt starts at that time'),
  WaitsForCapacity: (facts) => `wait for a slot, or ${edit('raise maxParallel', facts)}; if it is a quota, have it raised`,
  ApprovalUnusable: (facts) => `answer by ${command(`job-chief approve ${runOf(facts)} ${facts.step ?? 'STEP'}`, facts)}`,
  RecordEdited: (facts) => `nothing, the record is put right; to end a run: ${command(`job-chief cancel ${facts.name}`, facts)}`,
  RecordsUnread: byItself('it goes on when the API server answers; see that it is well'),
  RecordsOff: () => "set records.enabled in the controller's configuration, and grant it the Role for records",
} as const satisfies Partial<Record<Reason, Answer>>;

const limitAnswers = {
  LimitsInForce: nothing,
  LimitReached: (facts) => `wait for a Job of those that the message names, end one, or raise maxJobs (${command('kubectl get configmap -l job-chief=limits', facts)})`,
  GroupFull: (facts) => `wait for a Job of those that the message names, end one, or raise the group's limit (${command('kubectl get configmap -l job-chief=limits', facts)})`,
  StartRateReached: byItself('the next start follows when the time has passed; raise startRate, if that is too slow'),
  GroupUnknown: (facts) => `${edit('correct concurrency.group', facts)}, or add the group to a Limits`,
  InstanceSuspended: (facts) => `set suspend: false in the Limits that the message names (${command('kubectl get configmap -l job-chief=limits', facts)})`,
  LimitsBroken: () => 'mend the Limits that the message names, or delete it: until then nothing starts',
} as const satisfies Partial<Record<Reason, Answer>>;

/** By the reasons of docs/reasons.md. */
export const answers: Readonly<Record<Reason, Answer>> = { ...specAnswers, ...queueAnswers, ...messageAnswers, ...runAnswers, ...limitAnswers, ...jobAnswers };

const again: Answer = (facts) => `then ${command(`job-chief rerun ${runOf(facts)}`, facts)}`;
const mend = (what: string): Answer => (facts) => `${what}, ${again(facts)}`;

/** By why a step came out as it did. */
export const stepAnswers: Readonly<Record<StepReason, Answer>> = {
  ApprovalRejected: (facts) => `ask who rejected it; a new run asks again: ${command(`job-chief rerun ${runOf(facts)}`, facts)}`,
  ConditionFalse: nothing,
  CreateRefused: mend('correct what the message names'),
  DependencyNotMet: mend('see the step that the message names'),
  ExpressionError: mend('correct the expression, or declare a default for the output'),
  ItemsFailed: mend('see why the items failed'),
  ItemsInvalid: mend('correct the step that gives the items'),
  JobDeleted: mend('leave Jobs of runs to job-chief: job-chief cancel ends them'),
  JobNameTaken: mend('delete or rename the object that has the name'),
  NoItems: nothing,
  OutputMissing: mend('write the output, or declare a default'),
  OutputTooLong: mend('write less: the name of where the rest is'),
  OutputUnreadable: mend('write a JSON object, or lines name=value, of the declared types'),
  OutputsTooLarge: mend('hand on names instead of content'),
  PolicyDenied: mend("use what the operator's policy allows, or have it changed"),
  ReferenceInvalid: mend('correct the reference that the message names'),
  RunCancelled: (facts) => `to start it again: ${command(`job-chief rerun ${runOf(facts)}`, facts)}`,
  RunDeleted: mend('leave records of runs to job-chief: job-chief cancel ends them'),
  RunStopping: mend('see the step that failed'),
  SpecDeleted: (facts) => `apply ${facts.kind} "${facts.name}" again, if it was deleted by mistake`,
  StartTimeout: mend('see why its pods wait, or raise startTimeout'),
  StepFailed: mend('see the sub-run'),
  Timeout: mend('raise timeout, or look for what hangs'),
  TooDeep: mend('see whether a workflow runs itself'),
};

/** Of any reason of a step or a spec; Kubernetes' own words have the answer of a step that failed. */
export function answerTo(reason: string, facts: AnswerFacts, ofStep = false): string {
  const lists: readonly Readonly<Record<string, Answer>>[] = ofStep ? [stepAnswers, answers] : [answers, stepAnswers];
  const known = lists.find((list) => Object.hasOwn(list, reason));
  return (known?.[reason] ?? answers.StepFailed)(facts);
}
