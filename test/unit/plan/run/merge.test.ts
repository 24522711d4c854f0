import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeStates } from '../../../../src/plan/run/merge.ts';
import type { Attempt, RunState, StepOutcome, StepState, Stopping } from '../../../../src/plan/run/state.ts';

const outcomes: readonly StepOutcome[] = ['succeeded', 'failed', 'errored', 'notStarted', 'refused', 'skipped', 'omitted', 'cancelled'];
const outcome = fc.option(fc.constantFrom(...outcomes), { nil: undefined });
const attempts: fc.Arbitrary<readonly Attempt[]> = fc.array(fc.record({ seen: fc.boolean(), outcome }), { maxLength: 3 }).map((list) =>
  list.map(({ seen, outcome: came }, index) => ({ job: `job-${index + 1}`, at: index, ...(seen && { seen }), ...(came && { outcome: came, endedAt: index + 10 }) })));
const step: fc.Arbitrary<StepState> = fc.record({ outcome, attempts: fc.option(attempts, { nil: undefined }), items: fc.option(fc.array(fc.record({ outcome, attempts }), { minLength: 2, maxLength: 2 }), { nil: undefined }) }).map(({ outcome: came, attempts: tried, items }) => ({
  ...(came && { outcome: came, at: 50 }),
  ...(tried && { attempts: tried }),
  ...(items && { items: items.map(({ outcome: itemCame, attempts: itemTried }) => ({ ...(itemCame && { outcome: itemCame }), attempts: itemTried })) }),
}));
const steps = fc.dictionary(fc.constantFrom('a', 'b', 'c'), step, { noNullPrototype: true });
const stopping: fc.Arbitrary<Stopping> = fc.constantFrom('stop', 'revert', 'cancel').map((mode) => ({ mode, reason: 'StepFailed', message: '', at: 60 }));
const end = fc.constantFrom('succeeded', 'failed', 'cancelled').map((came) => ({ outcome: came, reason: 'RunSucceeded', message: '', at: 90, failedSteps: [] }));
const states: fc.Arbitrary<RunState> = fc
  .record({ startedAt: fc.constantFrom(1, 2), steps, undo: steps, stopping: fc.option(stopping, { nil: undefined }), end: fc.option(end, { nil: undefined, freq: 4 }) })
  .map(({ stopping: stops, end: ended, ...rest }) => ({ ...rest, ...(stops && { stopping: stops }), ...(ended && { end: ended }) }));

/** Everything in a state that is over, by where it stands. */
function terminal(state: RunState): Map<string, string> {
  const facts = new Map<string, string>();
  const note = (path: string, part: { readonly outcome?: string }): unknown => part.outcome !== undefined && facts.set(path, part.outcome);
  for (const [group, all] of Object.entries({ steps: state.steps, undo: state.undo })) {
    for (const [name, one] of Object.entries(all)) {
      note(`${group}/${name}`, one);
      one.attempts?.forEach((attempt, index) => note(`${group}/${name}/${index}`, attempt));
      one.items?.forEach((item, index) => {
        note(`${group}/${name}/items/${index}`, item);
        item.attempts.forEach((attempt, tried) => note(`${group}/${name}/items/${index}/${tried}`, attempt));
      });
    }
  }
  if (state.end) facts.set('end', state.end.outcome);
  return facts;
}

describe('merging two accounts of a run', () => {
  it('changes nothing where they agree', () => {
    fc.assert(fc.property(states, (state) => { expect(mergeStates(state, state)).toEqual(state); }));
  });

  it('never changes what the record holds as over', () => {
    fc.assert(fc.property(states, states, (stored, ours) => {
      const merged = terminal(mergeStates(stored, ours));
      for (const [path, came] of terminal(stored)) expect(merged.get(path), path).toBe(came);
    }));
  });

  it('loses nothing that either of two open runs knows to be over, whoever wrote first', () => {
    fc.assert(fc.property(states, states, (left, right) => {
      fc.pre(!left.end && !right.end);
      const merged = mergeStates(left, right);
      expect([...terminal(merged).keys()].toSorted()).toEqual([...new Set([...terminal(left).keys(), ...terminal(right).keys()])].toSorted());
      expect([...terminal(mergeStates(right, left)).keys()].toSorted()).toEqual([...terminal(merged).keys()].toSorted());
    }));
  });

  it('settles after one write: merging what came out once more changes nothing', () => {
    fc.assert(fc.property(states, states, (stored, ours) => {
      const merged = mergeStates(stored, ours);
      expect(mergeStates(merged, ours)).toEqual(merged);
      expect(mergeStates(stored, merged)).toEqual(merged);
    }));
  });

  it('a run that is over in the record stays as it is there', () => {
    fc.assert(fc.property(states, end, states, (stored, ended, ours) => {
      const over = { ...stored, end: ended };
      expect(mergeStates(over, ours)).toBe(over);
    }));
  });

  it('a Job that one account has seen was seen, and times that only one knows are kept', () => {
    const stored: RunState = { startedAt: 1, steps: { a: { attempts: [{ job: 'x', at: 2, seen: true }] } }, undo: {} };
    const ours: RunState = { startedAt: 3, steps: { a: { attempts: [{ job: 'x', at: 2, ranAt: 4 }] } }, undo: {} };
    const attempt = { job: 'x', at: 2, seen: true, ranAt: 4 };
    expect(mergeStates(stored, ours)).toEqual({ startedAt: 1, steps: { a: { attempts: [attempt] } }, undo: {} });
    expect(mergeStates(ours, stored)).toEqual({ startedAt: 1, steps: { a: { attempts: [attempt] } }, undo: {} });
  });

  const ended = (steps: RunState['steps'], more: Partial<RunState> = {}): RunState => ({ startedAt: 1, steps, undo: {}, end: { outcome: 'succeeded', reason: 'RunSucceeded', message: '', at: 9, failedSteps: [] }, ...more });
  const cancelled: Stopping = { mode: 'cancel', reason: 'RunCancelled', message: '', at: 5 };
  it.each<[string, Omit<RunState, 'startedAt'>]>([
    ['one of its steps has failed', { steps: { a: { outcome: 'failed' } }, undo: {} }],
    ['it has a step more', { steps: { a: { outcome: 'succeeded' }, b: { attempts: [] } }, undo: {} }],
    ['something of it was undone', { steps: { a: { outcome: 'succeeded' } }, undo: { a: { outcome: 'failed' } } }],
    ['it was cancelled', { steps: { a: { outcome: 'succeeded' } }, undo: {}, stopping: cancelled }],
  ])('an end that was decided here is decided anew where the record says that %s', (_what, stored) => {
    expect(mergeStates({ startedAt: 1, ...stored }, ended({ a: { outcome: 'succeeded' } }))).not.toHaveProperty('end');
  });

  it('an end that was decided here stays where the record only knows less', () => {
    const ours = ended({ a: { outcome: 'succeeded' }, b: { outcome: 'cancelled' } }, { stopping: cancelled });
    expect(mergeStates({ startedAt: 1, steps: { a: { attempts: [] } }, undo: {} }, ours).end).toBe(ours.end);
  });

  it.each([['stop', 'cancel', 'cancel'], ['cancel', 'stop', 'cancel'], ['revert', 'cancel', 'cancel'], ['stop', 'revert', 'revert']] as const)('of %s and %s the run does %s', (stored, ours, came) => {
    const stops = (mode: Stopping['mode']): RunState => ({ startedAt: 1, steps: {}, undo: {}, stopping: { mode, reason: 'StepFailed', message: '', at: 1 } });
    expect(mergeStates(stops(stored), stops(ours)).stopping?.mode).toBe(came);
  });
});
