/** Parts of specs that the tests share. */

/** What the Pod Security level `restricted` asks of a pod. */
export const restricted = {
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  podSecurityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
};

/** The real pg-boss worker. */
export const worker = (workMs = 100): object => ({
  image: 'job-chief.local/acme/pg-boss-worker:1',
  env: [{ name: 'WORK_MS', value: String(workMs) }],
  ...restricted,
});

/** A shell script as user 65532. */
export const shell = (script: string, more: object = {}): object => ({
  image: 'job-chief.local/busybox:1',
  command: ['sh', '-c', script],
  ...restricted,
  podSecurityContext: { ...restricted.podSecurityContext, runAsUser: 65532 },
  terminationGracePeriodSeconds: 1,
  ...more,
});

/** Runs until it is told to stop, and then takes its time. */
export const stubborn = (seconds: number): object =>
  shell(`trap 'sleep ${seconds}; exit 0' TERM; while true; do sleep 0.2; done`, { terminationGracePeriodSeconds: seconds + 20 });

/** Waits that do not slow tests down. */
export const eager = { checkInterval: '1s', waitAfter: { succeeded: '0s', failed: '1s', notStarted: '1s', refused: '1s' } };
/** No second Job within a test. */
export const once = { checkInterval: '1s', waitAfter: { succeeded: '1h', failed: '1h', notStarted: '1h', refused: '1h' } };
