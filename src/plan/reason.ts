/**
 * The closed list of reasons: event reason, metric label, log code and status reason are always one of these.
 * `docs/errors.md` explains each; a test holds the two together.
 */
export const reasons = {
  // Specs
  SpecAccepted: 'Normal',
  SpecRejected: 'Warning',
  SpecSuperseded: 'Warning',
  SpecChecking: 'Normal',
  SpecSuspended: 'Normal',
  SpecObserved: 'Normal',
  SpecDeleted: 'Normal',
  SpecChanged: 'Normal',
  TemplateRefused: 'Warning',
  TemplateUnchecked: 'Warning',
  OwnerChanged: 'Normal',
  // Queues
  QueueEmpty: 'Normal',
  QueueReady: 'Normal',
  QueueGrew: 'Normal',
  ConnectionUnknown: 'Warning',
  QueueUnreachable: 'Warning',
  QueueForbidden: 'Warning',
  QueueNotFound: 'Warning',
  QueueUnsupported: 'Warning',
  // Jobs
  JobCreated: 'Normal',
  JobStarting: 'Normal',
  JobSuspended: 'Normal',
  JobRunning: 'Normal',
  JobSucceeded: 'Normal',
  JobFailed: 'Warning',
  JobErrored: 'Warning',
  JobNotStarted: 'Warning',
  JobEnding: 'Normal',
  JobDeleted: 'Warning',
  JobNameTaken: 'Warning',
  NoPodCreated: 'Warning',
  PodFatal: 'Warning',
  PodsRemain: 'Normal',
  StartTimeout: 'Warning',
  Timeout: 'Warning',
  WaitAfterSucceeded: 'Normal',
  WaitAfterFailed: 'Normal',
  WaitAfterNotStarted: 'Normal',
  WaitAfterRefused: 'Normal',
  BreakerOpen: 'Warning',
  RetentionExceeded: 'Normal',
  // The API server
  CreateRefused: 'Warning',
  QuotaExceeded: 'Warning',
  Forbidden: 'Warning',
  AnswerUnknown: 'Normal',
  CacheBehind: 'Normal',
} as const satisfies Record<string, 'Normal' | 'Warning'>;

export type Reason = keyof typeof reasons;
