/** Long days of a workflow, drawn at random: what the plans decide is carried out on records in memory, and looked at. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ObservedRecord } from '../../../../src/plan/run/record.ts';
import type { WorkflowAction } from '../../../../src/plan/workflow/action.ts';
import type { ObservedWorkflow } from '../../../../src/plan/workflow/observed.ts';
import { dueTimes } from '../../../../src/spec/cron.ts';
import type { ScheduleSpec, WorkflowSpec } from '../../../../src/spec/workflow.ts';
import { minutes, noon, passed, seconds } from '../../../support/builders.ts';
import { aQueuedRun, aRecord, aSubRun, aWorkflowClaim, aWorkflowSpec, etlMap, nightly, observedWorkflow, planFor } from '../../../support/workflows.ts';

const begin = noon;
const isOver = ({ phase }: ObservedRecord): boolean => phase === 'Succeeded' || phase === 'Failed' || phase === 'Cancelled';
const isActive = (record: ObservedRecord): boolean => !isOver(record) && record.phase !== 'Queued';

/** What the API server has, and how much of it the cache shows. Each broken promise is a line of `wrong`. */
class World {
  now = begin;
  since = begin;
  hash = 'hash-1';
  uid = 'cm-1';
  status: string | undefined;
  records: ObservedRecord[] = [];
  readonly hidden = new Set<string>();
  readonly changes: string[] = [];
  readonly used: number[] = [];
  readonly missed: number[] = [];
  readonly wrong: string[] = [];
  readonly spec: WorkflowSpec;

  constructor(spec: WorkflowSpec) {
    this.spec = spec;
  }

  observed(): ObservedWorkflow {
    const spec = { ...this.spec, hash: this.hash };
    const claims = [aWorkflowClaim(spec, etlMap({ uid: this.uid, createdAt: begin, writtenStatus: this.status }))];
    return observedWorkflow(spec, { claims, verdict: passed(this.hash), records: this.records.filter(({ name }) => !this.hidden.has(name)), reservations: new Set(this.hidden), since: this.since });
  }

  /** Rounds until one decides nothing any more. */
  settle(writesStatus: boolean): void {
    for (let round = 0; round < 10; round += 1) {
      const plan = planFor(this.observed(), this.now);
      for (const action of plan.actions) this.#apply(action);
      if (plan.actions.some(({ kind }) => kind === 'createRun')) this.missed.push(...plan.missed.map(({ at }) => at));
      else if (plan.missed.length > 0) this.wrong.push('times were counted although nothing was started');
      if (writesStatus) this.status = JSON.stringify(plan.statuses[0]?.status);
      this.#lookAt();
      if (plan.actions.length === 0) return;
    }
    this.wrong.push('ten rounds did not come to rest');
  }

  add(record: ObservedRecord): void {
    if (!this.records.some(({ name }) => name === record.name)) this.records.push(record);
  }

  change(name: string, changes: Partial<ObservedRecord>): void {
    this.records = this.records.map((record) => (record.name === name ? { ...record, ...changes } : record));
  }

  end(index: number, phase: 'Succeeded' | 'Failed'): void {
    const active = this.records.filter(isActive);
    const record = active[index % Math.max(active.length, 1)];
    if (!record) return;
    const outcome = record.commands.cancel === undefined ? phase : 'Cancelled';
    this.change(record.name, { phase: outcome, result: { outcome: outcome.toLowerCase() as 'failed', reason: '', message: '', startedAt: record.createdAt, finishedAt: this.now, failedSteps: [] } });
  }

  #apply(action: WorkflowAction): void {
    switch (action.kind) {
      case 'createRun': {
        const { name, request } = action;
        if (this.records.some((record) => record.name === name)) this.wrong.push(`${name} was created twice`);
        const { specHash, source, scheduledAt } = request;
        if (request.trigger === 'change') {
          const revision = `${specHash ?? ''} ${source ?? ''}`;
          if (this.changes.at(-1) === revision) this.wrong.push(`${revision} ran twice in a row`);
          this.changes.push(revision);
        }
        if (scheduledAt !== undefined) this.used.push(scheduledAt);
        this.records.push(aRecord({ name, request, createdAt: Math.floor(this.now / 1000) * 1000 }));
        this.hidden.add(name);
        return;
      }
      case 'admitRun':
        this.change(action.record.name, { phase: 'Running' });
        return;
      case 'cancelRun': {
        const record = this.records.find(({ name }) => name === action.record.name);
        if (!record || isOver(record)) this.wrong.push(`${action.record.name} was cancelled when it was over`);
        else this.change(record.name, { commands: { ...record.commands, cancel: 'replaced' } });
        return;
      }
      case 'deleteRun':
        this.#forget(action.record.name);
        return;
      case 'reownRun':
        return;
    }
  }

  #forget(name: string): void {
    const record = this.records.find((one) => one.name === name);
    const at = record?.request?.scheduledAt;
    if (!record || !isOver(record)) this.wrong.push(`${name} was deleted before its end`);
    else if (at !== undefined && at === Math.max(...this.used)) this.wrong.push(`the newest scheduled run was deleted`);
    else if (this.#isNewestChange(record)) this.wrong.push(`the newest change run was deleted`);
    this.records = this.records.filter((one) => one !== record);
  }

  #isNewestChange(record: ObservedRecord): boolean {
    const last = this.records.findLast(({ request }) => request?.trigger === 'change');
    return record === last;
  }

  /** A child of a run of the same workflow takes no place that it would wait for itself. */
  #lookAt(): void {
    const active = this.records.filter(isActive).filter(({ request }) => request?.parent === undefined);
    if (active.length > this.spec.concurrency.max) this.wrong.push(`${active.length} runs at once`);
    const { schedule } = this.spec.trigger;
    const scheduled = this.records.filter(isActive).filter(({ request }) => request?.trigger === 'schedule');
    if (schedule?.concurrencyPolicy !== 'Allow' && scheduled.length > 1) this.wrong.push('two scheduled runs at once');
  }
}

type Event = (world: World) => void;
const events: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 90 }).map((count): Event => (world) => void (world.now += minutes(count))) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 1500 }).map((count): Event => (world) => void (world.now += count)) },
  { weight: 3, arbitrary: fc.constant<Event>((world) => void (world.now = Math.min(planFor(world.observed(), world.now).wakeAt ?? world.now, world.now + minutes(600)))) },
  { weight: 5, arbitrary: fc.constantFrom('hash-1', 'hash-2', 'hash-3').map((hash): Event => (world) => void (world.hash = hash)) },
  { weight: 1, arbitrary: fc.constantFrom('cm-1', 'cm-2').map((uid): Event => (world) => void (world.uid = uid)) },
  { weight: 8, arbitrary: fc.tuple(fc.nat(9), fc.constantFrom('Succeeded' as const, 'Failed' as const)).map(([index, phase]): Event => (world) => world.end(index, phase)) },
  { weight: 2, arbitrary: fc.tuple(fc.nat(99), fc.nat(3)).map(([id, priority]): Event => (world) => world.add(aQueuedRun(`asked-${id}`, { createdAt: world.now, request: { priority } }))) },
  { weight: 1, arbitrary: fc.nat(99).map((id): Event => (world) => world.add(aSubRun(`sub-${id}`, { run: world.records.find(isActive)?.name ?? 'gone' }, { createdAt: world.now }))) },
  { weight: 8, arbitrary: fc.constant<Event>((world) => world.hidden.clear()) },
  { weight: 1, arbitrary: fc.constant<Event>((world) => void (world.since = world.now)) },
);

const schedules: fc.Arbitrary<ScheduleSpec> = fc.record({
  lines: fc.constantFrom(['0 * * * *'], ['*/20 * * * *', '30 * * * *']),
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin'),
  concurrencyPolicy: fc.constantFrom('Forbid' as const, 'Replace' as const, 'Allow' as const),
  startingDeadline: fc.constantFrom(undefined, seconds(30), minutes(30)),
});
const specs = fc
  .record({
    schedule: schedules,
    onSpecChange: fc.constantFrom('keep' as const, 'replace' as const),
    max: fc.integer({ min: 1, max: 3 }),
    kept: fc.constantFrom(0, 1, 3),
  })
  .map(({ schedule, onSpecChange, max, kept }) => {
    const rule = { count: kept, age: undefined };
    return aWorkflowSpec({ trigger: { onChange: true, onRequest: true, schedule: nightly(schedule) }, onSpecChange, concurrency: { max }, retention: { succeeded: rule, failed: rule } });
  });

/** Lives through a day. `statuses`: whether each round's status gets written. */
function live(spec: WorkflowSpec, day: readonly (readonly [Event, boolean])[]): World {
  const world = new World(spec);
  world.settle(true);
  for (const [event, writesStatus] of day) {
    event(world);
    world.settle(writesStatus);
  }
  return world;
}
const days = fc.array(fc.tuple(events, fc.boolean()), { minLength: 20, maxLength: 80 });

describe('through long days', () => {
  it('caps hold, no change runs twice in a row, nothing needed is deleted, each scheduled time is used or missed once', () => {
    fc.assert(
      fc.property(specs, days, (spec, day) => {
        const { wrong, used, missed } = live(spec, day);
        const { schedule } = spec.trigger;
        const all = schedule ? dueTimes(schedule, { after: begin, until: Math.max(begin, ...used), most: 100_000 }).times : [];
        expect(wrong).toEqual([]);
        expect([...used, ...missed].sort((left, right) => left - right)).toEqual(all);
      }),
      { numRuns: 50 },
    );
  });

  it('once everything has ended, what is due has been started', () => {
    fc.assert(
      fc.property(specs, days, (spec, day) => {
        const world = live(spec, day);
        for (let round = 0; round < 300 && (world.hidden.size > 0 || world.records.some((record) => !isOver(record))); round += 1) {
          world.hidden.clear();
          world.end(0, 'Succeeded');
          world.settle(true);
        }
        expect(world.records.filter((record) => !isOver(record))).toEqual([]);
        expect(world.changes.at(-1)).toBe(`${world.hash} ${world.uid}`);
      }),
      { numRuns: 20 },
    );
  });
});
