import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { namedBy, runGraph } from '../../../../src/plan/run/graph.ts';
import { aWorkflow } from '../../../support/run-builders.ts';

const names = (text: string): string[] => runGraph(aWorkflow(text)).order.map(({ name }) => name);

describe('the order in which steps are decided on', () => {
  it.each([
    ['is that of the text where each stands behind what it depends on', 'a\nb < a\nc\nd < b, c', ['a', 'b', 'c', 'd']],
    ['puts a step behind one that stands after it', 'c < b\nb < a\na', ['a', 'b', 'c']],
    ['heeds expressions', 'c ? b.failed || a.ok\nb\na', ['b', 'a', 'c']],
    ['keeps phases one after the other', '-- one\nb < a\na\n-- two\nc', ['a', 'b', 'c']],
  ])('%s', (_, text, expected) => {
    expect(names(text)).toEqual(expected);
  });

  it('puts a step behind those that its condition asks', () => {
    expect(runGraph(aWorkflow('b\na', { steps: { b: { when: 'steps.a.ok' } } })).order.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('is one of its own for finally, which may name all others', () => {
    const graph = runGraph(aWorkflow('a\n-- finally\ny < x\nx', { steps: { x: { when: 'steps.a.ok' } } }));
    expect([graph.order.map(({ name }) => name), graph.finally.map(({ name }) => name)]).toEqual([['a'], ['x', 'y']]);
  });

  it('has every step once, behind all that it names, however the text is ordered', () => {
    const shape = fc.tuple(fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 30 }), fc.array(fc.nat(), { minLength: 30, maxLength: 30 }));
    fc.assert(
      fc.property(shape, ([steps, keys]) => {
        const lines = steps.map((before, index) => {
          const list = [...new Set(before.map((one) => `s${one % Math.max(index, 1)}`))];
          return index === 0 || list.length === 0 ? `s${index}` : `s${index} < ${list.join(', ')}`;
        });
        const shuffled = lines.map((line, index) => ({ line, key: keys[index] ?? 0 })).sort((left, right) => left.key - right.key);
        const { order, byId } = runGraph(aWorkflow(shuffled.map(({ line }) => line).join('\n')));
        const placeOf = new Map(order.map(({ name }, place) => [name, place]));
        expect(placeOf.size).toBe(steps.length);
        for (const step of order) for (const before of namedBy(step, byId)) expect(placeOf.get(before)).toBeLessThan(placeOf.get(step.name) ?? -1);
      }),
    );
  });
});
