/** What holds for every plan, whatever the world looks like. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Action, Plan } from '../../../src/plan/action.ts';
import { isAlive, isLive } from '../../../src/plan/job-state.ts';
import type { Claim, DepthReading, Observed, ObservedJob, ObservedPod, TemplateVerdict } from '../../../src/plan/observed.ts';
import { outcomes, type UpkeepNote } from '../../../src/plan/notes.ts';
import { reasons } from '../../../src/plan/reason.ts';
import { waitAfterRuns } from '../../../src/plan/wait.ts';
import { winnerOf } from '../../../src/plan/winner.ts';
import type { QueueSpec } from '../../../src/spec/queue.ts';
import { aBrokenClaim, aClaim, aConfigMap, aFile, aJob, aPod, aQueueSpec, hours, minutes, noon, passed, seconds, thumbnails } from '../../support/builders.ts';
import { afterActions, afterVerdicts, planAt } from '../../support/planning.ts';

/** Times around noon, where things are due, and a few that nobody should ever write. */
const time = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: -40, max: 40 }).map((steps) => noon + seconds(15) * steps) },
  { weight: 3, arbitrary: fc.integer({ min: noon - hours(400), max: noon + hours(2) }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -1, -1e15, 8.64e15, 1e300, Number.MAX_SAFE_INTEGER) },
);
const maybe = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> => fc.option(value, { nil: undefined });
const duration = fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: minutes(30) }) }, fc.constantFrom(0, 1, 1e300));
const hash = fc.constantFrom('hash-1', 'hash-2');
const text = fc.oneof(fc.constantFrom('', 'Error', 'Evicted', 'DeadlineExceeded'), fc.string({ maxLength: 12 }));
const count = fc.constantFrom(0, 0, 1, 2, 1e9);

const pod: fc.Arbitrary<ObservedPod> = fc
  .record({
    name: fc.constantFrom('pod-a', 'pod-b', 'pod-c'),
    phase: fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'),
    reason: maybe(text),
    deleting: fc.boolean(),
    node: maybe(fc.constant('node-1')),
    createdAt: time,
    started: fc.boolean(),
    startedAt: maybe(time),
    disrupted: fc.boolean(),
    unscheduled: maybe(fc.record({ reason: text, message: text })),
    waiting: maybe(fc.record({ reason: fc.constantFrom('ErrImagePull', 'InvalidImageName', 'x'), message: text, container: text, since: time })),
    failures: fc.array(fc.record({ container: text, exitCode: fc.integer(), reason: fc.constantFrom('Error', 'StartError', ''), message: text }), { maxLength: 2 }),
  })
  .map((changes) => aPod(changes));

const rule = fc.oneof(fc.constant({}), fc.record({ count: fc.integer({ min: 0, max: 3 }), age: duration }));
const upkeep: fc.Arbitrary<UpkeepNote> = fc.record({ startTimeout: duration, succeeded: rule, failed: rule, timeout: duration }).map(({ timeout, ...note }) => (timeout % 2 === 0 ? note : { ...note, timeout }));
const job: fc.Arbitrary<ObservedJob> = fc
  .record({
    name: fc.constantFrom('job-a', 'job-b', 'job-c', 'job-d', 'job-e'),
    createdAt: time,
    deleting: fc.boolean(),
    ownerUid: maybe(fc.constantFrom('cm-1', 'cm-2')),
    specHash: maybe(hash),
    specSource: fc.constantFrom('configMap', 'file'),
    onSpecDelete: fc.constantFrom('delete', 'finish'),
    suspended: fc.boolean(),
    parallelism: fc.constantFrom(0, 1, 2, 9),
    startedAt: maybe(time),
    finished: maybe(fc.record({ condition: fc.constantFrom('Complete', 'Failed'), reason: text, message: text, at: time })),
    succeededPods: count,
    failedPods: count,
    recorded: maybe(fc.record({ outcome: fc.constantFrom(...outcomes), reason: text, message: text, phase: fc.constantFrom('ending', 'final') })),
    upkeep: maybe(upkeep),
    pods: fc.array(pod, { maxLength: 2 }),
  })
  .chain((changes) => maybe(fc.constantFrom(1, 2, 3, 4, 1e15)).map((sequence) => ({ ...aJob(changes as Partial<ObservedJob>), sequence })));

const spec: fc.Arbitrary<QueueSpec> = fc
  .record({
    hash,
    suspend: fc.nat(9).map((one) => one === 0),
    observe: fc.nat(9).map((one) => one === 0),
    onSpecDelete: fc.constantFrom('delete' as const, 'finish' as const),
    onSpecChange: fc.constantFrom('keep' as const, 'replace' as const),
    startTimeout: duration,
    timeout: maybe(duration),
    wait: duration,
    max: fc.constantFrom(1, 5),
    breaker: fc.record({ notStarted: maybe(fc.integer({ min: 1, max: 3 })), failed: maybe(fc.integer({ min: 1, max: 3 })), probeEvery: duration }),
    keepFailed: rule,
  })
  .map(({ wait, max, keepFailed, ...changes }) =>
    aQueueSpec({ ...changes, drain: { waitAfter: { succeeded: 0, failed: wait, notStarted: wait, refused: wait }, pods: { max } }, retention: { succeeded: { count: 1, age: undefined }, failed: { count: undefined, age: undefined, ...keepFailed } } }),
  );
const source = fc.oneof(
  fc.record({ uid: fc.constantFrom('cm-1', 'cm-2'), createdAt: time, deleting: fc.nat(5).map((one) => one === 0) }).map((changes) => aConfigMap(changes)),
  fc.record({ createdAt: time }).map((changes) => aFile(changes)),
);
const claim: fc.Arbitrary<Claim> = fc.oneof({ weight: 5, arbitrary: fc.tuple(spec, source).map(([of, from]) => aClaim(of, from)) }, { weight: 1, arbitrary: source.map((from) => aBrokenClaim(from)) });

const questionAbout = (jobs: readonly ObservedJob[]): fc.Arbitrary<string> => fc.constantFrom('after nothing', ...jobs.flatMap(({ name, parallelism }) => [`after Job ${name}`, `scale ${name} from ${parallelism}`]));
const depthAbout = (jobs: readonly ObservedJob[]): fc.Arbitrary<DepthReading> =>
  fc.record({
    question: questionAbout(jobs),
    at: time,
    result: fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('known' as const), ready: fc.constantFrom(0, 1, 7, 1e9), nextReadyAt: maybe(time) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('unknown' as const), reason: fc.constantFrom('QueueUnreachable' as const), message: text, since: time }) },
    ),
  });
const verdict: fc.Arbitrary<TemplateVerdict> = fc.oneof(
  { weight: 5, arbitrary: hash.map((of) => passed(of)) },
  fc.record({ hash, at: time, count: fc.integer({ min: 1, max: 99 }), result: fc.record({ kind: fc.constantFrom('refused', 'forbidden', 'unknown'), message: text }) }),
);

const anyObserved: fc.Arbitrary<Observed> = fc.uniqueArray(job, { maxLength: 5, selector: ({ name }) => name }).chain((jobs) =>
  fc.record({
    key: fc.constant(thumbnails),
    claims: fc.oneof({ weight: 4, arbitrary: fc.tuple(claim) }, { weight: 1, arbitrary: fc.array(claim, { maxLength: 3 }) }),
    jobs: fc.constant(jobs),
    orphans: fc.oneof({ weight: 6, arbitrary: fc.constant([]) }, fc.array(pod, { maxLength: 1 })),
    reservations: fc.oneof({ weight: 6, arbitrary: fc.constant([]) }, fc.array(fc.record({ jobName: fc.constant('job-x'), state: fc.constantFrom('pending', 'created', 'unknown') }), { maxLength: 2 })),
    depth: maybe(depthAbout(jobs)),
    verdict: maybe(verdict),
    refusal: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, fc.record({ kind: fc.constantFrom('refused', 'quota', 'forbidden'), hash, message: text, at: time, count: fc.integer({ min: 1, max: 99 }) })),
    explanations: fc.dictionary(fc.constantFrom('uid-job-a', 'uid-pod-a'), text).map((texts) => new Map(Object.entries(texts))),
  }),
);
/** A world in which little stands in the way, so that creates are not too rare to test. */
const mostlyFree: fc.Arbitrary<Observed> = fc.tuple(anyObserved, spec).chain(([view, of]) => {
  const jobs = view.jobs.map((one) => ({ ...one, deleting: false, pods: one.pods.filter((each) => !isAlive(each)), finished: one.finished ?? { condition: 'Complete' as const, reason: '', message: '', at: noon } }));
  return fc.record({ view: fc.constant({ ...view, claims: [aClaim(of)], jobs, orphans: [], reservations: [], refusal: undefined, verdict: passed(of.hash) }), depth: depthAbout(jobs) }).map(({ view: free, depth }) => ({ ...free, depth }));
});
const world = fc.oneof(anyObserved, mostlyFree);

const creates = (actions: readonly Action[]): Action[] => actions.filter((action) => action.kind === 'create');
const winner = (view: Observed): Claim | undefined => view.claims[winnerOf(view.claims) ?? -1];
const onJob = (action: Action): string | undefined => ('job' in action ? action.job.uid : undefined);
/** What stays the same while nothing happens: all but the demands, whose "not before" a plan may repeat. */
const course = ({ actions, statuses }: Plan): unknown => ({ actions, statuses });

describe('every plan', () => {
  it('is total: nothing that anybody may have written makes it throw', () => {
    fc.assert(
      fc.property(world, time, (view, now) => {
        const plan = planAt(view, now);
        for (const { status } of plan.statuses) {
          expect(Object.keys(reasons)).toContain(status.reason);
          expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThanOrEqual(4096);
        }
        expect(plan.demands.filter((demand) => demand.kind === 'depth').length).toBeLessThanOrEqual(1);
        expect(plan.demands.filter((demand) => demand.kind === 'verdict').length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 300 },
    );
  });

  it('is the same for the same observation, which it leaves as it was', () => {
    fc.assert(
      fc.property(world, time, (view, now) => {
        const before = structuredClone(view);
        expect(planAt(view, now)).toEqual(planAt(structuredClone(view), now));
        expect(view).toEqual(before);
      }),
    );
  });

  it('creates one Job at most, and only when nothing at all stands against it', () => {
    let created = 0;
    fc.assert(
      fc.property(world, time, (view, now) => {
        const { actions } = planAt(view, now);
        expect(creates(actions).length).toBeLessThanOrEqual(1);
        if (creates(actions).length === 0) return;
        created += 1;
        const found = winner(view)?.parsed.spec;
        const of = found?.kind === 'Queue' ? found : undefined;
        expect(of).toMatchObject({ suspend: false, observe: false });
        expect(view.jobs.filter(isLive)).toEqual([]);
        expect([view.orphans, view.reservations]).toEqual([[], []]);
        expect(view.depth?.result).toMatchObject({ kind: 'known' });
        expect(view.depth?.result.kind === 'known' && view.depth.result.ready).toBeGreaterThan(0);
        expect(view.verdict).toMatchObject({ hash: of?.hash, result: { kind: 'passed' } });
        expect((of?.mode === 'drain' ? waitAfterRuns(of, view.jobs) : undefined)?.until ?? -Infinity).toBeLessThanOrEqual(now);
        expect(view.depth?.question).toMatch(view.jobs.length === 0 ? /^after nothing$/ : /^after Job /);
      }),
      { numRuns: 700 },
    );
    expect(created).toBeGreaterThan(20);
  });

  it('does at most one thing to a Job, besides handing it to its owner', () => {
    fc.assert(
      fc.property(world, time, (view, now) => {
        const touched = planAt(view, now).actions.filter((action) => action.kind !== 'reown').flatMap((action) => onJob(action) ?? []);
        expect(new Set(touched).size).toBe(touched.length);
      }),
      { numRuns: 250 },
    );
  });

  it('never deletes the newest Job of a queue that has a spec, nor one that lives or is not judged', () => {
    fc.assert(
      fc.property(world, time, (view, now) => {
        const newest = Math.max(...view.jobs.map(({ sequence }) => sequence ?? 0));
        for (const action of planAt(view, now).actions.filter(({ kind }) => kind === 'delete')) {
          const deleted = view.jobs.find(({ uid }) => uid === onJob(action));
          expect(deleted && isLive(deleted)).toBe(false);
          expect(deleted?.recorded?.phase).toBe('final');
          const older = view.jobs.filter((one) => one !== deleted && (one.sequence ?? 0) >= (deleted?.sequence ?? 0));
          if (view.claims.length > 0 && deleted?.sequence === newest) expect(older).not.toEqual([]);
        }
      }),
      { numRuns: 250 },
    );
  });

  it('never ends a Job that is suspended for not starting', () => {
    fc.assert(
      fc.property(world, time, (view, now) => {
        const ended = planAt(view, now).actions.flatMap((action) => (action.kind === 'end' && action.suspended ? [action.reason] : []));
        // JobEnding: it was ended before, for a reason of its own, and suspended in that moment.
        expect(ended.filter((reason) => reason !== 'SpecChanged' && reason !== 'SpecDeleted' && reason !== 'JobEnding')).toEqual([]);
      }),
      { numRuns: 250 },
    );
  });

  it('once it is carried out there is nothing more to do', () => {
    fc.assert(
      fc.property(world, time, (view, now) => {
        let next = view;
        // Ended Jobs get their verdict, judged Jobs may be pruned: three rounds, and the world is at rest.
        for (let round = 0; round < 4; round += 1) next = afterVerdicts(afterActions(next, planAt(next, now).actions), now);
        expect(planAt(next, now).actions.map(({ kind, reason }) => ({ kind, reason }))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('repeats none of its actions in the next round', () => {
    fc.assert(
      fc.property(world, time, (view, now) => {
        const { actions } = planAt(view, now);
        const again = planAt(afterActions(view, actions), now).actions;
        const about = (action: Action): string => `${action.kind} ${onJob(action) ?? ''}`;
        expect(again.map(about).filter((one) => one !== 'create ' && one !== 'resolve ' && actions.map(about).includes(one))).toEqual([]);
        if (creates(actions).length > 0) expect(creates(again)).toEqual([]);
      }),
      { numRuns: 250 },
    );
  });

  it('wakes when it could differ: at any time before, it does the same and says the same', () => {
    let woken = 0;
    fc.assert(
      fc.property(world, time, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (view, now, part) => {
        const plan = planAt(view, now);
        if (plan.wakeAt !== undefined) {
          woken += 1;
          expect(plan.wakeAt).toBeGreaterThan(now);
        }
        const until = Math.min(plan.wakeAt ?? now + hours(100_000), now + hours(100_000));
        const later = now + Math.floor((until - now) * part);
        fc.pre(later < until);
        expect(course(planAt(view, later))).toEqual(course(plan));
      }),
      { numRuns: 700 },
    );
    expect(woken).toBeGreaterThan(20);
  });
});
