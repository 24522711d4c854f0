import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileDependsOn, compileWhen, stepFields, type Expression, type ExpressionFacts, type StepFacts, type Verdict } from '../../../src/spec/expression.ts';
import { ended, failed, factsOf, said, stepsNamed, valid, whenScope } from './expression-input.ts';

const names = ['a', 'b', 'c-d', 'import'];
const scope = stepsNamed(...names);

/** A part of an expression, and what a plain three-valued logic says of it. */
interface Node {
  readonly text: string;
  readonly evaluate: (facts: ExpressionFacts) => Verdict['kind'];
}

const leaf = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom(...names), fc.constantFrom(...stepFields)).map(([name, field]): Node => ({ text: `${name}.${field}`, evaluate: (facts) => kindOf(facts.step(name.replaceAll('-', '_'))[field]) })) },
  { weight: 1, arbitrary: fc.boolean().map((value): Node => ({ text: String(value), evaluate: () => kindOf(value) })) },
  { weight: 1, arbitrary: fc.constant<Node>({ text: '1 / 0 > 0', evaluate: () => 'error' }) },
  { weight: 1, arbitrary: fc.constantFrom('x', 'y').map((word): Node => ({ text: `"x" == "${word}"`, evaluate: () => kindOf(word === 'x') })) },
);

function kindOf(value: boolean | undefined): Verdict['kind'] {
  return value === undefined ? 'open' : value ? 'true' : 'false';
}

const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.tuple(tie('node'), tie('node')).map(([left, right]) => pair(left, right, '||')),
    fc.tuple(tie('node'), tie('node')).map(([left, right]) => pair(left, right, '&&')),
    tie('node').map((inner): Node => ({ text: `!(${inner.text})`, evaluate: (facts) => ({ true: 'false', false: 'true', open: 'open', error: 'error' } as const)[inner.evaluate(facts)] })),
    fc.tuple(tie('node'), tie('node'), tie('node')).map(([condition, then, otherwise]): Node => ({
      text: `((${condition.text}) ? (${then.text}) : (${otherwise.text}))`,
      evaluate: (facts) => {
        const kind = condition.evaluate(facts);
        return kind === 'true' ? then.evaluate(facts) : kind === 'false' ? otherwise.evaluate(facts) : kind;
      },
    })),
  ),
}));

function pair(left: Node, right: Node, op: '||' | '&&'): Node {
  const decisive = op === '||' ? 'true' : 'false';
  return {
    text: `(${left.text}) ${op} (${right.text})`,
    evaluate: (facts) => {
      const kinds = [left.evaluate(facts), right.evaluate(facts)];
      return ([decisive, 'open', 'error'] as const).find((kind) => kinds.includes(kind)) ?? (op === '||' ? 'false' : 'true');
    },
  };
}

const outcomes = [ended(), failed, ended({ succeeded: false, skipped: true }), ended({ succeeded: false, failed: true })];
const someFacts: fc.Arbitrary<StepFacts> = fc.oneof(fc.constantFrom<StepFacts>({}, { anySucceeded: true, allFailed: false }), fc.constantFrom(...outcomes));
const facts = fc.tuple(someFacts, someFacts, someFacts, someFacts).map(([a, b, c_d, imported]) => factsOf({ a, b, c_d, import: imported }));

describe('answers', { timeout: 60_000 }, () => {
  it('are those of three-valued logic', () => {
    fc.assert(
      fc.property(node, facts, ({ text, evaluate }, known) => {
        expect(valid(compileDependsOn(text, scope)).evaluate(known).kind, text).toBe(evaluate(known));
      }),
      { numRuns: 500 },
    );
  });

  it('do not depend on the order of operands', () => {
    fc.assert(
      fc.property(node, node, fc.constantFrom('||', '&&'), facts, (left, right, op, known) => {
        const one = valid(compileDependsOn(`(${left.text}) ${op} (${right.text})`, scope)).evaluate(known);
        const other = valid(compileDependsOn(`(${right.text}) ${op} (${left.text})`, scope)).evaluate(known);
        expect(other.kind).toBe(one.kind);
      }),
    );
  });

  it('never change once more is known: only what is open may become something else', () => {
    const grown = fc.tuple(fc.constantFrom(...outcomes), fc.constantFrom<'all' | 'some' | 'none'>('all', 'some', 'none')).map(([all, part]) => ({
      all,
      part: part === 'all' ? all : part === 'none' ? {} : { anySucceeded: all.anySucceeded ?? false, allFailed: all.allFailed ?? false },
    }));
    fc.assert(
      fc.property(node, fc.array(grown, { minLength: 4, maxLength: 4 }), ({ text }, steps) => {
        const expression = valid(compileDependsOn(text, scope));
        const of = (part: 'all' | 'part'): Verdict => expression.evaluate(factsOf(Object.fromEntries(names.map((name, index) => [name.replaceAll('-', '_'), steps[index]?.[part] ?? {}]))));
        const early = of('part');
        if (early.kind !== 'open') expect(of('all')).toEqual(early);
        expect(of('all').kind).not.toBe('open');
      }),
      { numRuns: 500 },
    );
  });

  it('of values as well', () => {
    const parts = ['steps.count.outputs.rows > 2', 'steps.count.ok', 'steps.load-a.failed', 'params.n == 1', 'has(steps.count.outputs.label)', 'steps.count.outputs.files.exists(f, f == "x")', 'steps.count.outputs.rows / params.n > 1', '(steps.load-a.ok || steps.count.outputs.clean) == true', '(steps.load-a.ok ? 1 : steps.count.outputs.rows) > 1'];
    const outputs = fc.record({ rows: fc.integer({ min: 0, max: 4 }), files: fc.subarray(['x', 'y']), label: fc.constant('l'), clean: fc.boolean() }, { requiredKeys: [] });
    const text = fc.tuple(fc.constantFrom(...parts), fc.constantFrom('||', '&&'), fc.constantFrom(...parts), fc.constantFrom('||', '&&'), fc.constantFrom(...parts)).map((all) => all.join(' '));
    fc.assert(
      fc.property(text, outputs, fc.integer({ min: 0, max: 1 }), fc.constantFrom(...outcomes), fc.boolean(), (when, written, n, loaded, countKnown) => {
        const expression = valid(compileWhen(when, whenScope));
        const count = ended({ outputs: written });
        const early = expression.evaluate(factsOf(countKnown ? { count } : { load_a: loaded }, { params: { n } }));
        if (early.kind !== 'open') expect(expression.evaluate(factsOf({ count, load_a: loaded }, { params: { n } }))).toEqual(early);
      }),
      { numRuns: 500 },
    );
  });
});

describe('any text', { timeout: 60_000 }, () => {
  const words = ['a.ok', 'c-d.failed', 'steps.count.outputs.rows', 'params.max-n', 'params', 'run.attempt', '.', '[', ']', '(', ')', '{', '}', '"', "'", '"""', '\\', '//', '\n', ' ', '&&', '||', '!', '?', ':', '==', '<', '+', '-', '*', '/', '%', ',', '1', '0x1f', '1.5e3', 'u', 'true', 'null', 'in', '.exists(x, ', '.all(', '.filter(y,', 'has(', 'size(', 'r"', 'b"', '$', '`', 'ä', '😀', 'x'];
  const tangled = fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((pieces) => pieces.join(''));
  const texts = fc.oneof(fc.string({ unit: 'binary', maxLength: 100 }), tangled, tangled);

  /** Compiles to something sound, and answers without throwing. */
  function expectSound(text: string, compiled: ReturnType<typeof compileWhen>): void {
    if ('kind' in compiled) {
      expect(compiled.message.length).toBeGreaterThan(0);
      // Names of variables are nobody's business.
      if (!text.includes('v')) expect(compiled.message).not.toMatch(/v_*\d/);
      expect(compiled.offset).toBeGreaterThanOrEqual(0);
      expect(compiled.offset).toBeLessThanOrEqual(text.length);
      return;
    }
    expect(['true', 'false', 'open', 'error']).toContain(answer(compiled).kind);
  }

  function answer(expression: Expression): Verdict {
    return expression.evaluate(factsOf({ a: ended(), count: ended({ outputs: { rows: 1 } }) }, { params: { 'max-n': 1 }, run: { attempt: 1 } }));
  }

  it('is an expression or a problem', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expectSound(text, compileDependsOn(text, scope));
        expectSound(text, compileWhen(text, whenScope));
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    ['brackets', '('.repeat(4_096)],
    ['lists', '['.repeat(4_096)],
    ['negations', '!'.repeat(4_096)],
    ['signs', '-'.repeat(4_096)],
    ['quotes', '"'.repeat(4_096)],
    ['triple quotes', '"""a'.repeat(1_024)],
    ['escapes', `"${'\\'.repeat(4_000)}`],
    ['hyphens', `params.n${'-n'.repeat(2_000)}`],
    ['ternaries', 'true?'.repeat(800)],
    ['members', `params.options${'.a'.repeat(2_000)}`],
    ['comments', '//'.repeat(2_000)],
    ['digits', '9'.repeat(4_096)],
    ['comparisons', `1${' == 1'.repeat(800)}`],
  ])('is refused in time: %s', (_what, text) => {
    expectSound(text, compileWhen(text, whenScope));
    expectSound(text, compileDependsOn(text, scope));
  });

  it('says the same twice', () => {
    fc.assert(
      fc.property(node, facts, ({ text }, known) => {
        const expression = valid(compileDependsOn(text, scope));
        expect(said(expression.evaluate(known))).toBe(said(expression.evaluate(known)));
      }),
    );
  });
});
