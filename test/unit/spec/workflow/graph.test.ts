import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aWorkflow, parseWorkflow, withSteps } from './input.ts';

const cyclesIn = (text: string): { message: string; at: string }[] =>
  parseWorkflow(text).problems.map(({ code, message, path, position }) => ({ message: code === 'DependencyCycle' ? message : code, at: `${path ?? ''} ${position?.line ?? 0}:${position?.column ?? 0}` }));

describe('cycles', () => {
  const cases: readonly [what: string, text: string, message: string, at: string][] = [
    ['of a step with itself', withSteps('{name: a, job: {}, dependsOn: [a]}'), 'the step waits for itself: a → a', 'steps[0].dependsOn[0] 6:36'],
    ['of two lists', withSteps('{name: a, job: {}, dependsOn: [b]}', '{name: b, job: {}, dependsOn: [a]}'), 'steps wait for each other: a → b → a', 'steps[0].dependsOn[0] 6:36'],
    ['of an expression', withSteps('{name: a, job: {}}', '{name: b, job: {}, dependsOn: "a.ok && c.failed"}', '{name: c, job: {}, dependsOn: [b]}'), 'steps wait for each other: b → c → b', 'steps[1].dependsOn 7:35'],
    ['of a reference', withSteps('{name: a, job: {args: [$(steps.b.outputs.x)]}}', '{name: b, job: {}, dependsOn: [a], outputs: {x: {type: string}}}'), 'steps wait for each other: a → b → a', 'steps[0].job.args[0] 6:28'],
    ['of a condition', withSteps('{name: a, job: {}, when: "steps.b.outputs.x > 1"}', '{name: b, job: {}, dependsOn: [a], outputs: {x: {type: integer}}}'), 'steps wait for each other: a → b → a', 'steps[0].when 6:30'],
    ['of a list of items', withSteps('{name: a, job: {}, forEach: {from: $(steps.b.outputs.x)}, outputs: {z: {type: string}}}', '{name: b, job: {args: [$(steps.a.outputs.z)]}, outputs: {x: {type: array}}}'), 'steps wait for each other: a → b → a', 'steps[0].forEach.from 6:40'],
    [
      'of a step that waits for a later phase',
      aWorkflow('phases:', '  - {name: one, steps: [{name: a, job: {}, dependsOn: [c]}]}', '  - {name: two, steps: [{name: b, job: {}}]}', '  - {name: three, steps: [{name: c, job: {}}]}'),
      'steps wait for each other: a → c → phase two → b → phase one → a',
      'phases[0].steps[0].dependsOn[0] 6:56',
    ],
    ['among the steps of finally', aWorkflow('finally:', '  - {name: a, job: {}, dependsOn: [b]}', '  - {name: b, job: {}, dependsOn: a.completed}'), 'steps wait for each other: a → b → a', 'finally[0].dependsOn[0] 7:36'],
    ['of a step of finally with its own output', aWorkflow('finally:', '  - {name: a, job: {args: [$(steps.a.outputs.x)]}, outputs: {x: {type: string}}}'), 'the step waits for itself: a → a', 'finally[0].job.args[0] 7:28'],
  ];
  it.each(cases)('%s', (_what, text, message, at) => {
    expect(cyclesIn(text)).toEqual([{ message, at }]);
  });

  it('that are long are shortened in the middle', () => {
    const names = Array.from({ length: 30 }, (_, index) => `s${index}`);
    const text = withSteps(...names.map((name, index) => `{name: ${name}, job: {}, dependsOn: [s${(index + 1) % 30}]}`));
    expect(cyclesIn(text)[0]?.message).toBe('steps wait for each other: s0 → s1 → s2 → s3 → s4 → s5 → s6 → s7 → … 20 more … → s28 → s29 → s0');
  });

  it('are at most ten', () => {
    const loops = Array.from({ length: 20 }, (_, index) => `{name: s${index}, job: {}, dependsOn: [s${index}]}`);
    expect(cyclesIn(withSteps(...loops))).toHaveLength(10);
  });

  it('a chain of thousands of steps is none', () => {
    const steps = Array.from({ length: 2_000 }, (_, index) => `{name: s${index}, job: {}${index === 1_999 ? '' : `, dependsOn: [s${index + 1}]`}}`);
    expect(cyclesIn(withSteps(...steps))).toEqual([]);
  });

  it('an undo that names a later step is none', () => {
    expect(cyclesIn(withSteps('{name: a, job: {}, undo: {job: {args: [$(steps.b.outputs.x)]}}}', '{name: b, job: {}, dependsOn: [a], outputs: {x: {type: string}}}'))).toEqual([]);
  });
});

/** Steps and whom they wait for, by index. */
const graphs = fc.integer({ min: 1, max: 8 }).chain((count) => fc.array(fc.uniqueArray(fc.nat(count - 1), { maxLength: 3 }), { minLength: count, maxLength: count }));

/** Kahn's algorithm: whether the steps can be put in an order. */
function canBeOrdered(needs: readonly (readonly number[])[]): boolean {
  const done = new Set<number>();
  for (let before = -1; before !== done.size;) {
    before = done.size;
    needs.forEach((all, index) => {
      if (all.every((need) => done.has(need))) done.add(index);
    });
  }
  return done.size === needs.length;
}

describe('whatever the graph', () => {
  const write = (needs: readonly (readonly number[])[], how: (all: readonly string[]) => string): string =>
    withSteps(...needs.map((all, index) => `{name: s${index}, job: {}${all.length === 0 ? '' : `, dependsOn: ${how(all.map((need) => `s${need}`))}`}}`));

  it.each([
    ['lists', (all: readonly string[]) => `[${all.join(', ')}]`],
    ['expressions', (all: readonly string[]) => `"${all.map((name) => `${name}.completed`).join(' && ')}"`],
  ])('a cycle of %s is reported exactly where the steps cannot be put in order', (_what, how) => {
    fc.assert(
      fc.property(graphs, (needs) => {
        const found = cyclesIn(write(needs, how));
        expect(found.length === 0).toBe(canBeOrdered(needs));
        for (const { message } of found) {
          const names = (message.split(': ')[1] ?? '').split(' → ').map((name) => Number(name.slice(1)));
          expect(names.length).toBeGreaterThan(1);
          expect(names.at(-1)).toBe(names[0]);
          names.slice(1).forEach((name, index) => expect(needs[names[index] ?? -1]).toContain(name));
        }
      }),
      { numRuns: 150 },
    );
  });
});
