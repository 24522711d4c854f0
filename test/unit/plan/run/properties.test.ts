/** What holds for every run, whatever its graph looks like and whatever becomes of its Jobs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { takesSlot } from '../../../../src/plan/run/fate.ts';
import { planRun } from '../../../../src/plan/run/plan-run.ts';
import type { Attempt, ItemState, RunOutcome, RunState, StepOutcome, StepState } from '../../../../src/plan/run/state.ts';
import { reasons } from '../../../../src/plan/reason.ts';
import type { OnFailure, StepSpec, WorkflowSpec } from '../../../../src/spec/workflow.ts';
import { anEnvironment, aRunningPod, hours, seconds } from '../../../support/builders.ts';
import { approval, aWorkflow, eachOf, retries, RunWorld, subRun, undoJob, type StepChanges } from '../../../support/run-builders.ts';
import { runs } from '../../../support/effort.ts';

type Truth = 'true' | 'false' | 'open';
type Outcomes = ReadonlyMap<string, { readonly outcome: StepOutcome | undefined; readonly allowFailure: boolean }>;
/** A condition, and what it means. */
interface Condition {
  readonly text: string;
  truth(outcomes: Outcomes): Truth;
}

const failures: readonly (StepOutcome | undefined)[] = ['failed', 'errored', 'notStarted', 'refused'];
const fields = ['ok', 'completed', 'succeeded', 'failed', 'errored', 'skipped', 'omitted', 'cancelled'] as const;
const not = (truth: Truth): Truth => (truth === 'open' ? 'open' : truth === 'true' ? 'false' : 'true');

function isOk(outcomes: Outcomes, name: string): Truth {
  const { outcome, allowFailure = false } = outcomes.get(name) ?? {};
  if (outcome === undefined) return 'open';
  return outcome === 'succeeded' || outcome === 'skipped' || (allowFailure && failures.includes(outcome)) ? 'true' : 'false';
}

function atom(name: string, field: (typeof fields)[number]): Condition {
  return {
    text: `${name}.${field}`,
    truth: (outcomes) => {
      const outcome = outcomes.get(name)?.outcome;
      if (outcome === undefined) return 'open';
      if (field === 'ok') return isOk(outcomes, name);
      return field === 'completed' || field === outcome ? 'true' : 'false';
    },
  };
}

function condition(names: readonly string[]): fc.Arbitrary<Condition> {
  const leaf = fc.tuple(fc.constantFrom(...names), fc.constantFrom(...fields)).map(([name, field]) => atom(name, field));
  return fc.letrec<{ node: Condition }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      tie('node').map((one): Condition => ({ text: `!(${one.text})`, truth: (outcomes) => not(one.truth(outcomes)) })),
      fc.tuple(tie('node'), tie('node')).map(([left, right]): Condition => ({
        text: `(${left.text} && ${right.text})`,
        truth: (outcomes) => {
          const both = [left.truth(outcomes), right.truth(outcomes)];
          return both.includes('false') ? 'false' : both.includes('open') ? 'open' : 'true';
        },
      })),
      fc.tuple(tie('node'), tie('node')).map(([left, right]): Condition => ({
        text: `(${left.text} || ${right.text})`,
        truth: (outcomes) => {
          const both = [left.truth(outcomes), right.truth(outcomes)];
          return both.includes('true') ? 'true' : both.includes('open') ? 'open' : 'false';
        },
      })),
    ),
  })).node;
}

interface Drawn {
  readonly spec: WorkflowSpec;
  /** Of steps that have one. */
  readonly conditions: ReadonlyMap<string, Condition>;
  /** How a counterexample is printed. */
  readonly [fc.toStringMethod]: () => string;
}

const works = { job: 8, items: 2, indexed: 1, approve: 1, child: 1 } as const;
const kindOfWork = fc.oneof(...Object.entries(works).map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind as keyof typeof works) })));
const workOf: Readonly<Record<keyof typeof works, Partial<Omit<StepSpec, 'when'>>>> = {
  job: {},
  items: { forEach: eachOf(['a', 'b', 'c'], { maxParallel: 2 }) },
  indexed: { forEach: eachOf(['a', 'b'], { shape: 'indexed' }) },
  approve: { work: approval, timeout: seconds(100) },
  child: { work: subRun('other') },
};

const details = fc.record({
  kind: kindOfWork,
  attempts: fc.constantFrom(1, 1, 2, 3),
  delay: fc.constantFrom(0, seconds(5)),
  allowFailure: fc.nat(3).map((drawn) => drawn === 0),
  skipped: fc.nat(6).map((drawn) => drawn === 0),
  undone: fc.boolean(),
  list: fc.array(fc.nat(), { maxLength: 3 }),
  form: fc.constantFrom('list', 'list', 'expression', 'none'),
  phase: fc.nat(4).map((drawn) => drawn === 0),
});

/** Up to seven steps, each behind some of those before it; phases now and then; the order of the text at random. */
const workflow: fc.Arbitrary<Drawn> = fc
  .record({ steps: fc.array(details, { minLength: 1, maxLength: 7 }), after: fc.array(details, { maxLength: 2 }), shuffled: fc.boolean(), onFailure: fc.constantFrom<OnFailure>('stop', 'cancel', 'continue', 'revert'), maxParallel: fc.constantFrom(undefined, 1, 2, 3) })
  .chain(({ steps, after, shuffled, onFailure, maxParallel }) => {
    const name = (index: number): string => `s${index}`;
    const hasPhases = steps.some(({ phase }) => phase);
    return fc.tuple(...steps.map((_, index) => condition(index === 0 ? ['s0'] : Array.from({ length: index }, (__, before) => name(before))))).map((drawn): Drawn => {
      const conditions = new Map<string, Condition>();
      const changes: Record<string, StepChanges[string]> = {};
      const lineOf = (step: (typeof steps)[number], index: number, own: string): string => {
        const { kind, attempts, delay, allowFailure, skipped, undone } = step;
        changes[own] = { ...workOf[kind], retry: retries(attempts, { delay }), allowFailure, ...(skipped && { when: 'false' }), ...(undone && { undo: undoJob() }) };
        const form = index === 0 || own.startsWith('f') ? 'none' : step.form;
        const found = form === 'expression' ? drawn[index] : undefined;
        if (found) conditions.set(own, found);
        if (found) return `${own} ? ${found.text}`;
        const list = [...new Set(step.list.map((one) => name(one % Math.max(index, 1))))];
        return form === 'none' || list.length === 0 ? own : `${own} < ${list.join(', ')}`;
      };
      const lines = steps.map((step, index) => `${step.phase && index > 0 ? `-- phase${index}\n` : hasPhases && index === 0 ? '-- first\n' : ''}${lineOf(step, index, name(index))}`);
      const last = after.map((step, index) => lineOf(step, index, `f${index}`));
      const text = [...(shuffled && !hasPhases ? lines.reverse() : lines), ...(last.length === 0 ? [] : ['-- finally', ...last])].join('\n');
      const told = JSON.stringify({ text, onFailure, maxParallel, steps: [...steps, ...after].map(({ kind, attempts, delay, allowFailure, skipped, undone }) => ({ kind, attempts, delay, allowFailure, skipped, undone })) });
      return { spec: aWorkflow(text, { steps: changes, onFailure, maxParallel }), conditions, [fc.toStringMethod]: () => told };
    });
  });

const linesOf = (state: StepState): readonly Pick<ItemState, 'outcome' | 'attempts'>[] => state.items ?? [{ attempts: state.attempts ?? [], ...(state.outcome && { outcome: state.outcome }) }];
const allStates = (state: RunState): [string, StepState][] => [...Object.entries(state.steps).map(([name, one]): [string, StepState] => [`do ${name}`, one]), ...Object.entries(state.undo).map(([name, one]): [string, StepState] => [`undo ${name}`, one])];
const attemptsOf = (state: RunState): Attempt[] => allStates(state).flatMap(([, one]) => linesOf(one).flatMap(({ attempts }) => attempts));
const hasStarted = (state: StepState | undefined): boolean => state !== undefined && state.from === undefined && (state.items !== undefined || (state.attempts?.length ?? 0) > 0);

/** Everything that is over in a state, by where it stands. */
function terminal(state: RunState): Map<string, string> {
  const facts = new Map<string, string>();
  for (const [name, step] of allStates(state)) {
    if (step.outcome) facts.set(name, JSON.stringify([step.outcome, step.reason, step.at, step.outputs]));
    linesOf(step).forEach((line, index) => {
      if (line.outcome) facts.set(`${name}[${index}]`, line.outcome);
      line.attempts.forEach((attempt, tried) => {
        facts.set(`${name}[${index}]#${tried} job`, attempt.job);
        if (attempt.outcome) facts.set(`${name}[${index}]#${tried}`, JSON.stringify({ ...attempt, verdict: undefined }));
      });
    });
  }
  if (state.stopping) facts.set('stopping', state.stopping.mode === 'cancel' && state.stopping.reason !== 'StepFailed' ? 'command' : 'any');
  if (state.end) facts.set('end', JSON.stringify(state.end));
  return facts;
}

/** What a day is like: `any` has everything, the others lean to one end of the run, so that each is met often enough. */
type Day = 'any' | RunOutcome;

/** Drives a run through events that are drawn as numbers, and looks at it after each round. */
class Storm {
  readonly world: RunWorld;
  readonly #drawn: Drawn;
  readonly #day: Day;
  #written: RunState;

  constructor(drawn: Drawn, day: Day = 'any') {
    this.#drawn = drawn;
    this.#day = day;
    this.world = new RunWorld(drawn.spec);
    this.#written = this.world.state;
  }

  /** One event and one round. */
  step(draw: number, calm = false): void {
    const events = this.#events(calm);
    events[draw % Math.max(events.length, 1)]?.();
    this.round();
  }

  #events(calm: boolean): (() => unknown)[] {
    const { world } = this;
    const ends = world.running().flatMap((place) => this.#fatesOf(place, calm));
    const waiting = world.spec.steps.concat(world.spec.finally).filter(({ name, work }) => work.kind === 'approve' && world.outcome(name) === 'open');
    const words = waiting.flatMap(({ name }) => this.#leaning([() => world.approve(name)], [() => world.approve(name, 'rejected')]));
    const time = [() => world.later(seconds(7))];
    if (calm) return ends.length + words.length > 0 ? [...ends, ...words] : [() => world.later(seconds(100))];
    return [...ends, ...words, ...ends, ...time, ...this.#mischief()];
  }

  #fatesOf(place: string, calm: boolean): (() => unknown)[] {
    const { world } = this;
    const name = world.nameOf(place);
    if (world.children.has(name)) return this.#leaning([() => world.endRun(name, {})], [() => world.endRun(name, { outcome: 'failed' }), ...(calm ? [] : [() => world.children.delete(name)])]);
    if (world.jobOf(place).step?.indexed === true) return this.#leaning([() => world.endIndexed(place, [])], [() => world.endIndexed(place, [1]), () => world.endIndexed(place, [0, 1])]);
    const good = [() => world.succeed(place), () => world.succeed(place), () => world.contain(place)];
    const bad = [() => world.fail(place), () => world.evict(place), () => world.neverStart(place), ...(calm ? [] : [() => world.remove(place)])];
    return world.jobOf(place).pods.some(({ step }) => step?.done) ? [() => world.succeed(place)] : this.#leaning(good, bad);
  }

  /** Those that may happen on this day. */
  #leaning<One>(good: readonly One[], bad: readonly One[]): One[] {
    return [...(this.#day === 'failed' ? [] : good), ...(this.#day === 'succeeded' ? [] : bad)];
  }

  #mischief(): (() => unknown)[] {
    const { world } = this;
    return [
      () => world.command({ suspend: !world.record.commands.suspend }),
      () => (world.now % 5 === 0 && this.#day === 'any' ? world.command({ cancel: 'x' }) : undefined),
      // The process dies before its last round is written down.
      () => (world.state = this.#written),
      // It dies between the write and the creates.
      () => {
        world.creates = false;
        this.round();
        world.creates = true;
      },
      // A Job goes, its pod stays for a while.
      () => {
        const place = world.running().find((one) => world.jobs.has(world.nameOf(one)));
        if (place === undefined) return;
        world.orphans = [aRunningPod({ name: 'left', jobName: world.nameOf(place) })];
        world.remove(place);
      },
      () => (world.orphans = []),
    ];
  }

  round(): void {
    const { world } = this;
    const before = world.state;
    const observed = world.observed();
    const made = world.things.length;
    world.round();
    this.#written = before;
    this.#check(before, made);
    const again = planRun({ ...observed, state: world.state }, anEnvironment(), world.now);
    expect(attemptsOf(again.state).length, 'planning twice starts nothing').toBe(attemptsOf(world.state).length);
  }

  #check(before: RunState, made: number): void {
    const { world } = this;
    const now = terminal(world.state);
    for (const [place, was] of terminal(before)) if (place !== 'stopping' || was === 'command') expect(now.get(place), `${place} is over`).toBe(was);
    for (const [name, state] of allStates(world.state)) {
      for (const { attempts } of linesOf(state)) expect(attempts.slice(0, -1).every(({ outcome }) => outcome !== undefined), `${name}: one open attempt`).toBe(true);
    }
    this.#checkOrder();
    const created = world.things.map(({ name }) => name);
    expect(new Set(created).size, 'nothing is created twice').toBe(created.length - this.#recreated(made));
    const live = [...world.jobs.values()].filter(takesSlot);
    // What runs already when a process dies is met again, and nothing comes on top of it.
    if (world.things.length > made) expect(live.length).toBeLessThanOrEqual(world.spec.maxParallel ?? Infinity);
    const placeOf = new Map(world.things.map(({ name, place }) => [name, place]));
    const places = live.map(({ name }) => placeOf.get(name));
    expect(new Set(places).size, 'one live Job in each place').toBe(places.length);
    expect(Object.keys(reasons)).toContain(world.plan?.reason);
    if (world.plan?.wakeAt !== undefined) expect(world.plan.wakeAt).toBeGreaterThan(world.now);
    if (world.state.end && !before.end) expect([live, world.plan?.liveJobs]).toEqual([[], 0]);
  }

  /** After a death, a Job that somebody deleted meanwhile is made again. */
  #recreated(made: number): number {
    const { things } = this.world;
    const known = new Set(things.slice(0, made).map(({ name }) => name));
    this.#again += things.slice(made).filter(({ name }) => known.has(name)).length;
    return this.#again;
  }
  #again = 0;

  /** No step has started whose dependencies do not hold: they never stop holding once they do. */
  #checkOrder(): void {
    const { spec, state } = this.world;
    const outcomes: Outcomes = new Map(spec.steps.concat(spec.finally).map(({ name, allowFailure }) => [name, { outcome: state.steps[name]?.outcome, allowFailure }]));
    for (const { name, dependsOn } of spec.steps) {
      if (!hasStarted(state.steps[name])) continue;
      for (const before of dependsOn.all) expect(isOk(outcomes, before), `${name} behind ${before}`).toBe('true');
      for (const before of spec.steps) if (before.phase === dependsOn.phase && dependsOn.phase !== undefined) expect(isOk(outcomes, before.name), `${name} behind phase`).toBe('true');
      const found = this.#drawn.conditions.get(name);
      if (found) expect(found.truth(outcomes), `${name}: ${found.text}`).toBe('true');
    }
    const ended = spec.steps.every(({ name }) => state.steps[name]?.outcome);
    if (!ended) expect(spec.finally.some(({ name }) => hasStarted(state.steps[name])) || Object.keys(state.undo).length > 0, 'the end comes last').toBe(false);
  }
}

const draws = fc.array(fc.nat(10_000), { maxLength: 40 });
const calmEnd = (storm: Storm, draw: number): void => {
  storm.world.orphans = [];
  storm.world.command({ suspend: false });
  for (let round = 0; round < 400 && !storm.world.state.end; round += 1) storm.step(draw + round * 7, true);
};

/** Ends what runs, as the seed says of its place: as many at once and in such an order as `draws` say. */
function finish(world: RunWorld, seed: number, draws: readonly number[]): string {
  const succeeds = (place: string): boolean => (place.split('').reduce((sum, char) => sum * 31 + char.charCodeAt(0), seed) >>> 3) % 3 !== 0;
  for (let round = 0; round < 400 && !world.settle().state.end; round += 1) {
    const draw = draws[round % draws.length] ?? 0;
    const waiting = world.spec.steps.concat(world.spec.finally).filter(({ name, work }) => work.kind === 'approve' && world.outcome(name) === 'open');
    for (const { name } of waiting) world.approve(name, succeeds(name) ? 'approved' : 'rejected');
    const running = world.running();
    const from = draw % Math.max(running.length, 1);
    for (const place of running.slice(from, from + 1 + (draw % 3))) {
      if (world.children.has(world.nameOf(place))) world.endRun(world.nameOf(place), { outcome: succeeds(place) ? 'succeeded' : 'failed' });
      else if (world.jobOf(place).step?.indexed === true) world.endIndexed(place, succeeds(place) ? [] : [1]);
      else if (succeeds(place)) world.succeed(place);
      else world.fail(place);
    }
    world.later(seconds(1));
  }
  return world.state.end ? `${world.outcomes()}: ${world.state.end.outcome}` : 'no end';
}

describe('every run', () => {
  // Of the days that lean to an end nineteen in twenty come to it: that too few do is no matter of chance.
  it.each<[Day, number]>([
    ['any', 100],
    ['succeeded', 40],
    ['failed', 40],
    ['cancelled', 40],
  ])('keeps to its graph and its limits through all that happens, and ends: on days of the kind "%s"', (day, many) => {
    const seen = { any: 0, succeeded: 0, failed: 0, cancelled: 0 };
    fc.assert(
      fc.property(workflow, draws, fc.nat(10_000), (drawn, events, calm) => {
        const storm = new Storm(drawn, day);
        storm.round();
        // Before anything has ended, where it is to be what the run ends by.
        if (day === 'cancelled') storm.world.command({ cancel: 'x' });
        for (const event of events) storm.step(event);
        calmEnd(storm, calm);
        const { end } = storm.world.state;
        expect(end, 'it ends').toBeDefined();
        seen.any += 1;
        if (end) seen[end.outcome] += 1;
      }),
      { numRuns: runs(many) },
    );
    expect(seen[day]).toBeGreaterThan(3);
  });

  it('that goes on after failures comes out the same, in whatever order its Jobs end and however many before a round', () => {
    fc.assert(
      fc.property(workflow, fc.nat(1000), fc.array(fc.nat(1000), { minLength: 1, maxLength: 20 }), (drawn, seed, order) => {
        const spec: WorkflowSpec = { ...drawn.spec, onFailure: 'continue' };
        const [first = '', ...more] = [[0], order].map((draws) => finish(new RunWorld(spec), seed, draws));
        expect(more).toEqual([first]);
        expect(first).toContain(spec.steps[0]?.name);
      }),
      { numRuns: runs(150) },
    );
  });

  it('is decided by what is seen alone, and leaves that as it was', () => {
    fc.assert(
      fc.property(workflow, draws, (drawn, events) => {
        const storm = new Storm(drawn);
        for (const event of events) storm.step(event);
        const observed = storm.world.observed();
        const plan = planRun(observed, anEnvironment(), storm.world.now);
        expect(planRun(storm.world.observed(), anEnvironment(), storm.world.now)).toEqual(plan);
        expect(observed).toEqual(storm.world.observed());
        if (plan.actions.length === 0 && plan.state === observed.state && plan.wakeAt !== undefined) {
          const early = planRun(observed, anEnvironment(), plan.wakeAt - 1);
          expect([early.actions, early.state]).toEqual([[], observed.state]);
        }
      }),
      { numRuns: runs(150) },
    );
  });
});

describe('a large run', () => {
  it.each([
    ['a chain of 10,000', Array.from({ length: 10_000 }, (_, index) => (index === 0 ? 's0' : `s${index} < s${index - 1}`)), 's0'],
    ['a chain of 10,000, last first', Array.from({ length: 10_000 }, (_, index) => (index === 9_999 ? 's9999' : `s${index} < s${index + 1}`)), 's9999'],
    ['two phases of 5,000', ['-- one', ...Array.from({ length: 5_000 }, (_, index) => `a${index}`), '-- two', ...Array.from({ length: 5_000 }, (_, index) => `b${index}`)], 'a0'],
  ])('%s is planned, and a failure of its first step decides on all behind it in one round', (_, lines, first) => {
    const world = new RunWorld(aWorkflow(lines.join('\n'), { maxParallel: 1, onFailure: 'continue' }));
    world.round();
    expect(world.things).toHaveLength(1);
    world.fail(first).round();
    const omitted = Object.values(world.state.steps).filter(({ outcome }) => outcome === 'omitted').length;
    expect(omitted).toBe(lines.length === 10_000 ? 9_999 : 5_000);
    expect(world.later(hours(1)).round().state.end === undefined).toBe(lines.length !== 10_000);
  });
});
