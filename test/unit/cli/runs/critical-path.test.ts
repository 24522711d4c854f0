import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { criticalPath } from '../../../../src/cli/runs/critical-path.ts';
import type { RunState, StepOutcome, StepState } from '../../../../src/plan/run/state.ts';
import { aWorkflow } from '../../../support/run-builders.ts';

const start = 1_000_000;
const s = 1_000;

/** In seconds from the start of the run: decided on, ran, ended. An end of undefined: it goes on. */
function ran(at: number, ranAt: number | undefined, end: number | undefined, outcome: StepOutcome = 'succeeded'): StepState {
  const attempt = { job: 'job', at: start + at * s, ...(ranAt === undefined ? {} : { ranAt: start + ranAt * s }) };
  return { attempts: [attempt], ...(end === undefined ? {} : { outcome, at: start + end * s }) };
}
const passed = (outcome: 'skipped' | 'omitted', at: number): StepState => ({ outcome, at: start + at * s });

function aState(steps: RunState['steps'], undo: RunState['undo'] = {}): RunState {
  return { startedAt: start, steps, undo };
}

/** `a 1+2` : one second of wait and two of running; a gap stands before it. */
function told(text: string, state: RunState, now = 1_000): string | undefined {
  const path = criticalPath(aWorkflow(text), state, start + now * s);
  const steps = path?.steps.map(({ name, role, gap, wait, ran: run }) => `${gap === 0 ? '' : `(${gap / s}) `}${role === 'undo' ? 'undo ' : ''}${name} ${wait / s}${run === undefined ? '' : `+${run / s}`}`);
  return path && `${steps?.join(', ')} = ${path.sum / s}`;
}

describe('the chain that determined the end', () => {
  it('goes through the dependency that ended last', () => {
    const state = aState({ a: ran(0, 1, 5), b: ran(0, 0, 9), c: ran(9, 10, 12) });
    expect(told('a\nb\nc < a, b', state)).toBe('b 0+9, c 1+2 = 12');
  });

  it('begins at the step that ended last, wherever that stands', () => {
    const state = aState({ a: ran(0, 0, 5), b: ran(5, 5, 6), alone: ran(0, 0, 20) });
    expect(told('a\nb < a\nalone', state)).toBe('alone 0+20 = 20');
  });

  it('tells what a step waited for room after its dependencies', () => {
    expect(told('a\nb < a', aState({ a: ran(2, 2, 5), b: ran(8, 8, 9) }))).toBe('(2) a 0+3, (3) b 0+1 = 9');
  });

  it('leads from phase to phase', () => {
    const state = aState({ a: ran(0, 0, 3), b: ran(0, 0, 7), c: ran(7, 7, 8) });
    expect(told('-- one\na\nb\n-- two\nc', state)).toBe('b 0+7, c 0+1 = 8');
  });

  it('of an expression takes what had ended when the step started', () => {
    const state = aState({ a: ran(0, 0, 3), b: ran(0, 0, 30), c: ran(3, 3, 40) });
    expect(told('a\nb\nc ? a.ok || b.ok', state)).toBe('a 0+3, c 0+37 = 40');
  });

  it('passes over steps that were skipped, to what they waited for', () => {
    const state = aState({ a: ran(0, 0, 3), b: passed('skipped', 3), c: ran(3, 3, 4) });
    expect(told('a\nb < a\nc < b', state)).toBe('a 0+3, c 0+1 = 4');
  });

  it('counts retries to the time that a step ran', () => {
    const again: StepState = { outcome: 'succeeded', at: start + 9 * s, attempts: [{ job: 'x', at: start, ranAt: start + s }, { job: 'y', at: start + 5 * s, ranAt: start + 6 * s }] };
    expect(told('a', aState({ a: again }))).toBe('a 1+8 = 9');
  });

  it('ends in finally, which comes after everything', () => {
    const state = aState({ a: ran(0, 0, 3), b: ran(0, 0, 2), tidy: ran(3, 3, 4), tell: ran(4, 4, 5) });
    expect(told('a\nb\n-- finally\ntidy\ntell < tidy', state)).toBe('a 0+3, tidy 0+1, tell 0+1 = 5');
  });

  it('leads through what was undone, one after the other', () => {
    const state = aState({ a: ran(0, 0, 1), b: ran(1, 1, 2), c: ran(2, 2, 3, 'failed'), tidy: ran(9, 9, 10) }, { b: ran(3, 3, 5), a: ran(5, 6, 9) });
    expect(told('a\nb < a\nc < b\n-- finally\ntidy', state)).toBe('a 0+1, b 0+1, c 0+1, undo b 0+2, undo a 1+3, tidy 0+1 = 10');
  });

  it('leaves out what an earlier run had done', () => {
    const state = aState({ a: { outcome: 'succeeded', at: start - 500 * s, from: 'etl-1' }, b: ran(0, 0, 2) });
    expect(told('a\nb < a', state)).toBe('b 0+2 = 2');
  });

  it('of what never ran has the wait alone: an approval, a Job that did not start', () => {
    expect(told('a\nb < a', aState({ a: ran(0, undefined, 30), b: ran(30, undefined, 90, 'notStarted') }))).toBe('a 30, b 60 = 90');
  });

  it('believes no clock that is ahead or behind', () => {
    expect(told('a', aState({ a: ran(1, 0, 4) }))).toBe('(1) a 0+3 = 4');
    expect(told('a', aState({ a: ran(1, 9, 4) }))).toBe('(1) a 3+0 = 4');
  });
});

describe('of a run that goes on', () => {
  it('ends at the step that has been under way for the longest time', () => {
    const state = aState({ a: ran(0, 0, 3), slow: ran(3, 4, undefined), b: ran(3, 3, 6), c: ran(6, 7, undefined) });
    expect(told('a\nslow < a\nb < a\nc < b', state, 10)).toBe('a 0+3, slow 1+6 = 10');
  });

  it('is nothing before anything has started', () => {
    expect(told('a', aState({}))).toBeUndefined();
    expect(told('a', aState({ a: passed('omitted', 0) }))).toBeUndefined();
  });
});

it('whatever the graph and the times, the parts are none below zero and add up to the sum', () => {
  const step = fc.record({ after: fc.subarray([0, 1, 2, 3, 4]), delay: fc.nat(5), wait: fc.nat(5), length: fc.nat(9) });
  fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
    const ends: number[] = [];
    const states = steps.map(({ after, delay, wait, length }, index): [string, StepState] => {
      const from = Math.max(0, ...after.filter((other) => other < index).map((other) => ends[other] ?? 0)) + delay;
      ends[index] = from + wait + length;
      return [`s${index}`, ran(from, from + wait, ends[index])];
    });
    const text = steps.map(({ after }, index) => `s${index}${after.some((other) => other < index) ? ` < ${after.filter((other) => other < index).map((other) => `s${other}`).join(', ')}` : ''}`).join('\n');
    const path = criticalPath(aWorkflow(text), aState(Object.fromEntries(states)), start + 1_000 * s);
    const parts = path?.steps.flatMap(({ gap, wait, ran: run }) => [gap, wait, run ?? 0]) ?? [];
    expect(parts.every((part) => part >= 0)).toBe(true);
    expect(parts.reduce((sum, part) => sum + part, 0)).toBe(path?.sum);
    expect(path?.sum).toBe(Math.max(...ends) * s);
  }), { examples: [] });
});
