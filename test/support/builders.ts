/** Specs, claims, Jobs, Pods and whole observations for tests: say what matters, the rest is plain and healthy. */
import type { JsonObject } from '../../src/lib/json.ts';
import type { DepthReading, Claim, ConfigMapSource, FileSource, Observed, ObservedJob, ObservedPod, Refusal, Reservation, SpecKey, TemplateVerdict } from '../../src/plan/observed.ts';
import type { RecordedOutcome, UpkeepNote } from '../../src/plan/notes.ts';
import type { PlanEnvironment } from '../../src/plan/environment.ts';
import type { ParsedSpec } from '../../src/spec/parsed.ts';
import type { Problem } from '../../src/spec/problem.ts';
import { podPolicyFrom, type PodPolicy } from '../../src/spec/pod-policy/policy.ts';
import { noMetadata } from '../../src/spec/common.ts';
import type { DrainQueueSpec, QueueSpec } from '../../src/spec/queue.ts';
import type { PgBossSource } from '../../src/spec/queue-source.ts';

/** The hour at which tests play: 2026-01-01, noon. */
export const noon = Date.UTC(2026, 0, 1, 12);
export const seconds = (count: number): number => count * 1000;
export const minutes = (count: number): number => count * 60_000;
export const hours = (count: number): number => count * 3_600_000;

export const thumbnails: SpecKey = { kind: 'queue', name: 'thumbnails' };

/** What a Job is made with when nothing else is said: the defaults of a Queue. */
export const usualUpkeep: UpkeepNote = { startTimeout: minutes(15), succeeded: { count: 3 }, failed: { count: 10, age: hours(168) } };

type QueueSpecChanges = Partial<Omit<DrainQueueSpec, 'drain' | 'breaker' | 'retention' | 'source'>> & {
  readonly drain?: Partial<Omit<DrainQueueSpec['drain'], 'pods' | 'waitAfter'>> & { readonly pods?: Partial<DrainQueueSpec['drain']['pods']>; readonly waitAfter?: Partial<DrainQueueSpec['drain']['waitAfter']> };
  readonly breaker?: Partial<QueueSpec['breaker']>;
  readonly retention?: Partial<QueueSpec['retention']>;
  readonly source?: Partial<PgBossSource>;
};

/** A Queue with every default of the schema. */
export function aQueueSpec(changes: QueueSpecChanges = {}): DrainQueueSpec {
  const { drain = {}, breaker, retention, source, ...rest } = changes;
  return {
    kind: 'Queue',
    mode: 'drain',
    name: 'thumbnails',
    hash: 'hash-1',
    suspend: false,
    observe: false,
    onSpecDelete: 'delete',
    onSpecChange: 'keep',
    retention: { succeeded: { count: 3, age: undefined }, failed: { count: 10, age: hours(168) }, ...retention },
    jobMetadata: noMetadata,
    podMetadata: noMetadata,
    health: { includeLastRun: false },
    concurrency: { max: 1 },
    source: { type: 'pgBoss', connection: 'main', queue: 'thumbnails', schema: undefined, ...source },
    drain: {
      checkInterval: seconds(10),
      ...drain,
      pods: { min: 1, max: 1, messagesPerPod: 1, ...drain.pods },
      waitAfter: { succeeded: 0, failed: seconds(30), notStarted: minutes(2), refused: seconds(30), ...drain.waitAfter },
    },
    startTimeout: minutes(15),
    timeout: undefined,
    breaker: { notStarted: 5, failed: undefined, probeEvery: minutes(5), ...breaker },
    injectConnection: false,
    jobTemplate: aJobTemplate(),
    ...rest,
  };
}

/** A JobTemplateSpec with one container. */
export function aJobTemplate(container: JsonObject = {}, pod: JsonObject = {}): JsonObject {
  return { spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', ...pod, containers: [{ name: 'main', image: 'ghcr.io/acme/thumbnailer:3.1', ...container }] } } } };
}

export function aConfigMap(changes: Partial<ConfigMapSource> = {}): ConfigMapSource {
  return { kind: 'configMap', name: 'thumbnails', uid: 'cm-1', createdAt: noon - hours(1), deleting: false, writtenStatus: undefined, writtenState: undefined, ...changes };
}

export function aFile(changes: Partial<FileSource> = {}): FileSource {
  return { kind: 'file', path: 'specs/thumbnails.yaml', createdAt: noon - hours(1), ...changes };
}

/** A claim whose text is fine. */
export function aClaim(spec: QueueSpec = aQueueSpec(), source: Claim['source'] = aConfigMap(), problems: readonly Problem[] = []): Claim {
  return { source, parsed: { kind: 'Queue', name: spec.name, hash: spec.hash, spec, problems } };
}

export function aProblem(changes: Partial<Problem> = {}): Problem {
  return { code: 'UnknownField', severity: 'error', message: 'there is no field "pod"', ...changes };
}

/** A claim whose text has errors. */
export function aBrokenClaim(source: Claim['source'] = aConfigMap(), problems: readonly Problem[] = [aProblem()], parsed: Partial<ParsedSpec> = {}): Claim {
  return { source, parsed: { kind: 'Queue', name: 'thumbnails', hash: 'hash-broken', spec: undefined, problems, ...parsed } };
}

/** A Job that the Job controller took up five seconds ago and that has no pod yet. */
export function aJob(changes: Partial<ObservedJob> = {}): ObservedJob {
  const sequence = changes.sequence ?? 1;
  const name = changes.name ?? `thumbnails-${sequence}`;
  return {
    name,
    uid: `uid-${name}`,
    resourceVersion: '100',
    createdAt: noon - seconds(5),
    deleting: false,
    ownerUid: 'cm-1',
    specHash: 'hash-1',
    specSource: 'configMap',
    onSpecDelete: 'delete',
    sequence,
    suspended: false,
    parallelism: 1,
    activeDeadlineSeconds: undefined,
    startedAt: noon - seconds(5),
    finished: undefined,
    succeededPods: 0,
    failedPods: 0,
    recorded: undefined,
    upkeep: usualUpkeep,
    pods: [],
    ...changes,
  };
}

export function aStartingJob(changes: Partial<ObservedJob> = {}): ObservedJob {
  return aJob({ pods: [aPod()], ...changes });
}

export function aRunningJob(changes: Partial<ObservedJob> = {}): ObservedJob {
  return aJob({ pods: [aRunningPod()], ...changes });
}

export function aSuspendedJob(changes: Partial<ObservedJob> = {}): ObservedJob {
  return aJob({ suspended: true, startedAt: undefined, ...changes });
}

export const complete = (at = noon - seconds(1)): NonNullable<ObservedJob['finished']> => ({ condition: 'Complete', reason: 'CompletionsReached', message: '', at });
export const failed = (at = noon - seconds(1), reason = 'BackoffLimitExceeded', message = 'Job has reached the specified backoff limit'): NonNullable<ObservedJob['finished']> => ({ condition: 'Failed', reason, message, at });

export const finalNote = (outcome: RecordedOutcome['outcome'], changes: Partial<RecordedOutcome> = {}): RecordedOutcome => ({ phase: 'final', outcome, reason: outcome === 'succeeded' ? 'Completed' : 'Error', message: '', ...changes });
export const endingNote = (outcome: RecordedOutcome['outcome'], changes: Partial<RecordedOutcome> = {}): RecordedOutcome => ({ phase: 'ending', outcome, reason: 'StartTimeout', message: 'no container started within 900 s', ...changes });

/** A Job that ended at `at`, with its outcome written down. */
export function anEndedJob(outcome: RecordedOutcome['outcome'], changes: Partial<ObservedJob> & { readonly at?: number } = {}): ObservedJob {
  const { at = noon - seconds(1), ...rest } = changes;
  return aJob({ createdAt: at - minutes(1), startedAt: at - minutes(1), finished: outcome === 'succeeded' ? complete(at) : failed(at), recorded: finalNote(outcome), ...rest });
}

/** A pod that was created five seconds ago and tells nothing yet. */
export function aPod(changes: Partial<ObservedPod> = {}): ObservedPod {
  const name = changes.name ?? 'pod-a';
  return {
    name,
    uid: `uid-${name}`,
    jobUid: 'uid-thumbnails-1',
    jobName: 'thumbnails-1',
    phase: 'Pending',
    reason: undefined,
    deleting: false,
    node: undefined,
    createdAt: noon - seconds(5),
    started: false,
    startedAt: undefined,
    disrupted: false,
    unscheduled: undefined,
    waiting: undefined,
    failures: [],
    ...changes,
  };
}

export function aRunningPod(changes: Partial<ObservedPod> = {}): ObservedPod {
  return aPod({ phase: 'Running', node: 'node-1', started: true, startedAt: noon - seconds(4), ...changes });
}

/** A pod whose container "main" exited with `exitCode`. */
export function aFailedPod(exitCode: number, changes: Partial<ObservedPod> & { readonly why?: string; readonly said?: string } = {}): ObservedPod {
  const { why = 'Error', said = '', ...rest } = changes;
  return aRunningPod({ phase: 'Failed', failures: [{ container: 'main', exitCode, reason: why, message: said }], ...rest });
}

export const waitingFor = (reason: string, since = noon, message = ''): NonNullable<ObservedPod['waiting']> => ({ reason, message, container: 'main', since });

export const passed = (hash = 'hash-1', warnings: readonly string[] = []): TemplateVerdict => ({ hash, at: noon - seconds(1), count: 1, result: { kind: 'passed', warnings } });
export const verdict = (kind: 'refused' | 'denied' | 'forbidden' | 'unknown', changes: Partial<TemplateVerdict> & { readonly message?: string } = {}): TemplateVerdict => {
  const { message = 'the API server said so', ...rest } = changes;
  return { hash: 'hash-1', at: noon, count: 1, result: { kind, message }, ...rest };
};

/** An answer to `question`: so many messages are ready. */
export function ready(count: number, question = 'after nothing', changes: { readonly at?: number; readonly nextReadyAt?: number } = {}): DepthReading {
  return { question, at: changes.at ?? noon - seconds(1), result: { kind: 'known', ready: count, nextReadyAt: changes.nextReadyAt } };
}
export const unreachable = (question = 'after nothing'): DepthReading => ({ question, at: noon, result: { kind: 'unknown', reason: 'QueueUnreachable', message: 'connection refused', since: noon - minutes(1) } });

export const aReservation = (state: Reservation['state'], jobName = 'thumbnails-2'): Reservation => ({ jobName, state });
export const aRefusal = (kind: Refusal['kind'], changes: Partial<Refusal> = {}): Refusal => ({ kind, hash: 'hash-1', message: 'exceeded quota: jobs', at: noon, count: 1, ...changes });

/** A queue with one good claim whose template has passed; no Jobs, nothing read yet. */
export function observed(changes: Partial<Observed> = {}): Observed {
  return {
    key: thumbnails,
    claims: [aClaim()],
    jobs: [],
    orphans: [],
    reservations: [],
    depth: undefined,
    verdict: passed(),
    refusal: undefined,
    explanations: new Map(),
    ...changes,
  };
}

/** The observation of one Queue with this spec. */
export function observedOf(spec: QueueSpec, changes: Partial<Observed> = {}): Observed {
  return observed({ claims: [aClaim(spec)], verdict: passed(spec.hash), ...changes });
}

export function anEnvironment(changes: Partial<PlanEnvironment> = {}): PlanEnvironment {
  return { instance: 'default', namespace: 'acme', injection: () => undefined, ...changes };
}

/** Where the operator has written no policy. */
export const laxPolicy: PodPolicy = podPolicyFrom(undefined, { connectionSecrets: [], ownServiceAccount: undefined });

/** A Job as it is sent. */
export function aJobManifest(metadata: JsonObject = {}, pod: JsonObject = {}): JsonObject {
  return { metadata, spec: { template: { spec: { containers: [{ name: 'main', image: 'app' }], ...pod } } } };
}
