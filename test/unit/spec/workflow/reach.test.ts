import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileDependsOn, type Expression } from '../../../../src/spec/expression.ts';
import { neverHolds } from '../../../../src/spec/expression-reach.ts';

const names = ['a', 'b', 'c', 'd'];

function compiled(text: string): Expression {
  const expression = compileDependsOn(text, { steps: names.map((name) => ({ id: name, name })) });
  if ('kind' in expression) throw new Error(expression.message);
  return expression;
}

describe('an expression that never holds', () => {
  it.each([
    'false',
    'a.ok && !a.ok',
    'a.succeeded && a.failed',
    'a.skipped && !a.ok',
    'a.completed && !(a.succeeded || a.failed || a.errored || a.notStarted || a.refused || a.skipped || a.omitted || a.cancelled)',
    'a.ok && b.ok && (a.omitted || b.cancelled)',
    'a.succeeded && b.ok && c.ok && a.cancelled && true',
    'a.allFailed && a.anySucceeded',
  ])('%s', (text) => {
    expect(neverHolds(compiled(text))).toBe(true);
  });

  it.each(['true', 'a.ok', '!a.ok', 'a.failed && a.ok', 'a.failed && a.anySucceeded', 'a.allFailed', 'a.omitted && !b.ok', 'a.cancelled || false', 'a.skipped && a.ok && !a.succeeded'])('is not %s', (text) => {
    expect(neverHolds(compiled(text))).toBe(false);
  });

  it('of more than three steps is only known where it is false by itself', () => {
    expect(neverHolds(compiled('a.ok && b.ok && c.ok && d.ok && a.failed && a.succeeded'))).toBe(false);
    expect(neverHolds(compiled('a.ok && b.ok && c.ok && d.ok && false'))).toBe(true);
  });

  it('is never one that holds for some outcome', () => {
    const outcome = fc.constantFrom('succeeded', 'failed', 'errored', 'notStarted', 'refused', 'skipped', 'omitted', 'cancelled', 'completed');
    fc.assert(
      fc.property(fc.array(fc.record({ step: fc.constantFrom('a', 'b'), outcome, not: fc.boolean() }), { minLength: 1, maxLength: 4 }), fc.constantFrom(' && ', ' || '), (terms, joint) => {
        const text = terms.map((term) => `${term.not ? '!' : ''}${term.step}.${term.outcome}`).join(joint);
        const ends = ['succeeded', 'failed', 'errored', 'notStarted', 'refused', 'skipped', 'omitted', 'cancelled'];
        const isTrue = (term: (typeof terms)[number], end: string): boolean => (term.outcome === 'completed' || term.outcome === end) !== term.not;
        const holds = ends.some((a) => ends.some((b) => (joint === ' && ' ? terms.every((term) => isTrue(term, term.step === 'a' ? a : b)) : terms.some((term) => isTrue(term, term.step === 'a' ? a : b)))));
        expect(neverHolds(compiled(text))).toBe(!holds);
      }),
      { numRuns: 300 },
    );
  });
});
