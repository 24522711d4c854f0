import { describe, expect, it } from 'vitest';
import { compileDependsOn, compileWhen, longestExpression, stepFields, type ExpressionFacts } from '../../../src/spec/expression.ts';
import { dependsOnSays, ended, factsOf, failed, problemOf, stepsNamed, valid, whenSays, whenScope } from './expression-input.ts';

describe('names of steps in dependsOn', () => {
  const scope = stepsNamed('extract', 'load-a', 'load-b', 'import', 'true-north', 'in', 'has', 'v0');
  const cases: readonly [why: string, text: string, steps: string[]][] = [
    ['their id', 'load_a.ok', ['load_a']],
    ['their name with hyphens', 'load-a.ok', ['load_a']],
    ['each once, in the order of the text', 'load-b.ok || (extract.ok && load_b.failed)', ['load_b', 'extract']],
    ['words that CEL keeps for itself', 'import.ok && true-north.ok', ['import', 'true_north']],
    ['the name of a function', 'has.ok', ['has']],
    ['a name like those of variables inside', 'v0.ok && extract.ok', ['v0', 'extract']],
    ['outcomes in brackets', `load-a["ok"] && extract['failed']`, ['load_a', 'extract']],
    ['blanks, line breaks and comments between all parts', 'load-a\n  . ok // not load-b.ok\n && extract.ok', ['load_a', 'extract']],
    ['not in texts', 'extract.ok == ("load-a.ok" == "x")', ['extract']],
    ['not in texts with quotes in them', `extract.ok && 'it\\'s load-a.ok' != """load-b.ok "quoted" """`, ['extract']],
    ['none', 'true', []],
  ];
  it.each(cases)('are %s: %s', (_why, text, steps) => {
    expect(valid(compileDependsOn(text, scope)).steps).toEqual(steps);
  });

  it('cannot be a word that is an operator or a literal', () => {
    expect(problemOf(compileDependsOn('in.ok', scope)).message).toBe('unexpected token: "in"');
  });
});

describe('every outcome can be asked for', () => {
  it.each(stepFields)('%s', (field) => {
    expect(dependsOnSays(`a.${field}`, { a: { [field]: true } })).toBe('true');
    expect(dependsOnSays(`a.${field}`, { a: { [field]: false } })).toBe('false');
    expect(dependsOnSays(`a.${field}`, {})).toBe('open');
    expect(whenSays(`steps.load-a.${field}`, factsOf({ load_a: { [field]: true } }))).toBe('true');
  });
});

describe('while results are open', () => {
  const steps = { a: ended(), b: failed };
  const cases: readonly [text: string, says: string][] = [
    ['a.ok || c.ok', 'true'],
    ['c.ok || a.ok', 'true'],
    ['b.ok || c.ok', 'open'],
    ['c.ok || b.ok', 'open'],
    ['a.ok && c.ok', 'open'],
    ['c.ok && a.ok', 'open'],
    ['b.ok && c.ok', 'false'],
    ['c.ok && b.ok', 'false'],
    ['c.ok && c.failed && b.ok', 'false'],
    ['c.ok || c.failed || a.ok', 'true'],
    ['!c.ok', 'open'],
    ['!(c.ok || a.ok)', 'false'],
    ['!(c.ok && b.ok)', 'true'],
    ['a.ok ? b.failed : c.ok', 'true'],
    ['b.ok ? c.ok : a.ok', 'true'],
    ['a.ok ? c.ok : b.ok', 'open'],
    ['c.ok ? a.ok : a.ok', 'open'],
    ['(c.ok ? a.ok : b.ok) || a.ok', 'true'],
    ['c.ok == true', 'open'],
    ['(c.ok || a.ok) == true', 'true'],
    ['true == (c.ok && b.ok)', 'false'],
    ['[a.ok, c.ok].exists(x, x)', 'open'],
    ['[a.ok, b.ok].exists(x, x)', 'true'],
    ['[a.ok, b.ok, true].filter(x, x).size() >= 2', 'true'],
  ];
  it.each(cases)('%s is %s (a is ok, b failed, c still runs)', (text, says) => {
    expect(dependsOnSays(text, steps)).toBe(says);
  });

  it('one item of a forEach decides before the step has ended', () => {
    expect(dependsOnSays('a.anySucceeded && !a.allFailed', { a: { anySucceeded: true, allFailed: false } })).toBe('true');
  });
});

describe('errors', () => {
  const broken = '1 / 0 > 0';
  const cases: readonly [text: string, says: string][] = [
    [broken, 'division by zero'],
    [`!(${broken})`, 'division by zero'],
    [`${broken} ? true : false`, 'division by zero'],
    [`${broken} || a.ok`, 'true'],
    [`a.ok || ${broken}`, 'true'],
    [`${broken} && b.ok`, 'false'],
    [`b.ok && ${broken}`, 'false'],
    [`b.ok || ${broken}`, 'division by zero'],
    [`${broken} && a.ok`, 'division by zero'],
    // What is open may still decide.
    [`${broken} || c.ok`, 'open'],
    [`c.ok || ${broken}`, 'open'],
    [`${broken} && c.ok`, 'open'],
    // What is open cannot decide.
    [`(c.ok && b.ok) || ${broken}`, 'division by zero'],
    [`(${broken} || a.ok) == true`, 'true'],
    ['9223372036854775807 + 1 > 0', 'integer overflow: 9223372036854775808'],
  ];
  it.each(cases)('%s says: %s', (text, says) => {
    expect(dependsOnSays(text, { a: ended(), b: failed })).toBe(says);
  });
});

describe('values in when', () => {
  const count = ended({ outputs: { rows: 5, ratio: 2, label: 'a"b', files: ['x', 'y'], report: { constructor: 1, size: 3.5, list: [1, 'z'], none: null }, clean: true } });
  const params = { n: 1, 'max-n': 3, share: 0.5, dry: false, options: { deep: { on: true } }, regions: ['eu', 'us'] };
  const run = { name: 'nightly-x1', trigger: 'schedule', startedAt: '2026-01-04T02:30:00Z', scheduledAt: '2026-01-04T02:00:00Z', scheduledDate: '2026-01-04', attempt: 2 };
  const facts = factsOf({ count }, { params, run });
  const holds: readonly string[] = [
    'steps.count.outputs.rows > 0',
    'steps.count.outputs.rows == 5 && steps.count.outputs.rows != 6',
    'steps.count.outputs.rows / 2 == 2 && steps.count.outputs.rows % 2 == 1',
    'steps.count.outputs.rows > steps.count.outputs.ratio',
    'double(steps.count.outputs.rows) * steps.count.outputs.ratio == 10.0',
    'steps.count.outputs.ratio > 1 && steps.count.outputs.ratio == 2.0',
    'steps.count.outputs.label == "a\\"b"',
    'steps.count.outputs.clean',
    'steps.count.outputs["max-rows"] == 10',
    'steps.count.outputs.max-rows - 1 == 9',
    'steps["count"].outputs.max_rows == 10',
    'size(steps.count.outputs.files) == 2 && steps.count.outputs.files[1] == "y"',
    'steps.count.outputs.files.exists(f, f == "y") && steps.count.outputs.files.all(f, f.size() == 1)',
    'steps.count.outputs.files.filter(f, f != "x").exists_one(f, f == "y")',
    '"eu" in params.regions && !("ap" in params.regions)',
    'steps.count.outputs.report.constructor == 1 && steps.count.outputs.report.size == 3.5',
    'steps.count.outputs.report.list[0] + 1 == 2 && steps.count.outputs.report.none == null',
    'has(steps.count.outputs.report.list) && !has(steps.count.outputs.report.toString)',
    'params.mode == "full"',
    'params.max-n-params.n == 2',
    'params.n-1 == 0',
    'params.share < 1 && params.share * 2.0 == 1.0',
    'params.dry == false && !params.dry',
    'params.options.deep.on == true',
    'has(params.n) && !has(params.note)',
    'has(params.options.deep) && !has(params.options.shallow)',
    'run.trigger == "schedule" && run.attempt == 2 && run.name.startsWith("nightly")',
    'run.scheduledAt.getDayOfWeek() == 0 && run.scheduledAt.getHours("Europe/Berlin") == 3',
    'run.startedAt - run.scheduledAt == duration("30m")',
    'run.startedAt > timestamp("2026-01-01T00:00:00Z")',
    'run.scheduledDate.endsWith("-04")',
    'params.mode.upperAscii() == "FULL" && "a,b".split(",").size() == 2',
    'int("5") == steps.count.outputs.rows && string(params.n) == "1"',
    'steps.count.succeeded && !steps.count.skipped',
  ];
  it.each(holds)('%s', (text) => {
    expect(whenSays(text, facts)).toBe('true');
  });

  const wrong: readonly [text: string, says: string][] = [
    ['params.note == "x"', 'parameter "note" has no value'],
    ['params.options.shallow == 1', 'no such key: shallow'],
    ['params.regions[2] == "x"', 'no such key: index out of bounds, index 2 >= size 2'],
    ['params.options.deep > 1', 'there is no operator for "map<string, bool> > int"'],
    ['run.startedAt.getHours("Nowhere") == 1', 'Invalid time zone specified: Nowhere'],
    ['!params.options.deep.on || params.regions[0]', 'it is not true or false'],
  ];
  it.each(wrong)('%s fails: %s', (text, says) => {
    expect(whenSays(text, facts)).toBe(says);
  });

  it('an output is open until its step has ended, then its default, then an error', () => {
    const text = 'steps.count.outputs.rows > 0';
    expect(whenSays(text, factsOf({}))).toBe('open');
    expect(whenSays(text, factsOf({ count: { anySucceeded: true } }))).toBe('open');
    expect(whenSays(text, factsOf({ count: ended() }))).toBe('step "count" wrote no output "rows"');
    expect(whenSays(text, factsOf({ count: ended({ outputs: { rows: 3 } }) }))).toBe('true');
    expect(whenSays('steps.count.outputs.max-rows == 10', factsOf({}))).toBe('open');
    expect(whenSays('steps.count.outputs.max-rows == 10', factsOf({ count: ended() }))).toBe('true');
  });

  it('has() of an output is open until its step has ended', () => {
    const text = 'has(steps.count.outputs.rows)';
    expect(whenSays(text, factsOf({}))).toBe('open');
    expect(whenSays(text, factsOf({ count: ended() }))).toBe('false');
    expect(whenSays(text, factsOf({ count: ended({ outputs: { rows: 3 } }) }))).toBe('true');
    expect(whenSays(`${text} && steps.count.outputs.rows > 1`, factsOf({ count: ended() }))).toBe('false');
  });

  it('a value of another type than declared is an error, not a crash', () => {
    const says = (rows: unknown): string => whenSays('steps.count.outputs.rows > 0', factsOf({ count: ended({ outputs: { rows: rows as never } }) }));
    expect(says('5')).toBe('"5" is not a whole number');
    expect(says(1.5)).toBe('1.5 is not a whole number');
    expect(says(null)).toBe('null is not a whole number');
    expect(whenSays('steps.count.outputs.clean', factsOf({ count: ended({ outputs: { clean: 'true' } }) }))).toBe('it is not true or false');
    expect(whenSays('run.startedAt > run.scheduledAt', factsOf({}, { run: { startedAt: 'soon', scheduledAt: 0 } }))).toBe('"soon" is not a time');
  });

  it('fields of the prototype are no facts', () => {
    const scope = { ...whenScope, parameters: { toString: { type: 'string', default: undefined }, constructor: { type: 'string', default: undefined } } } as const;
    expect(whenSays('params.toString == "x"', factsOf({}), scope)).toBe('parameter "toString" has no value');
    expect(whenSays('has(params.constructor)', factsOf({}), scope)).toBe('false');
  });

  it('run.outcome is for finally, and open until then', () => {
    const scope = { ...whenScope, finally: true };
    const text = 'run.outcome == "failed" && "load" in run.failedSteps';
    expect(whenSays(text, factsOf({}), scope)).toBe('open');
    expect(whenSays(text, factsOf({}, { run: { outcome: 'failed', failedSteps: ['load'] } }), scope)).toBe('true');
  });

  it('item is there where the scope has it', () => {
    const scope = { ...whenScope, item: true };
    const says = (text: string, item: ExpressionFacts['item']): string => whenSays(text, factsOf({}, item === undefined ? {} : { item }), scope);
    expect(says('item.size > 3', { size: 4 })).toBe('true');
    expect(says('item == "a"', 'a')).toBe('true');
    expect(says('has(item.size)', {})).toBe('false');
    expect(says('item == "a"', undefined)).toBe('open');
  });
});

describe('problems', () => {
  const dependsOn: readonly [text: string, offset: number, message: string, hint: string | undefined][] = [
    ['', 0, 'the expression is empty', undefined],
    [' // nothing', 11, 'unexpected token: the end', undefined],
    ['exract.ok', 0, 'there is no step "exract"', 'did you mean "extract"?'],
    ['load-x.ok', 0, 'there is no step "load-x"', 'did you mean "load-a"?'],
    ['extract.ok && (load-a.suceeded || true)', 22, 'there is no outcome "suceeded"', 'did you mean "succeeded"?'],
    ['extract', 0, '"extract" alone is no condition', expect.stringMatching(/^write extract\.ok; a step has ok, completed, succeeded, failed/) as string],
    ['extract["ok"', 0, '"extract" alone is no condition', expect.any(String) as string],
    ['extract.zzz', 8, 'there is no outcome "zzz"', 'a step has ok, completed, succeeded, failed, errored, notStarted, refused, skipped, omitted, cancelled, anySucceeded, allFailed'],
    ['extract.outputs.rows > 0', 8, 'dependsOn looks at outcomes of steps only, not at outputs', 'move this part to when'],
    ['steps.extract.ok', 0, 'dependsOn names steps without "steps."', 'write load.ok for steps.load.ok'],
    ['params.mode == "x"', 0, 'dependsOn looks at outcomes of steps only, not at "params"', 'move this part to when'],
    ['extract.ok and load-a.ok', 11, 'there is no "and"', 'write &&'],
    ['not extract.ok', 0, 'there is no "not"', 'write !'],
    ['extract.ok & load-a.ok', 11, 'unexpected character: &', 'write &&'],
    ['extract.ok = load-a.ok', 11, 'unexpected character: =', 'write =='],
    ['load-a.ok && (extract.ok', 24, 'expected ")", got the end', undefined],
    ['load-a.ok load-b.ok', 10, 'the expression should end here', 'an operator such as && may be missing'],
    ['load-a.ok == "x', 13, 'a text is not closed', undefined],
    ['load-a.ok && load-a.ok == "x"', 13, 'there is no operator for "bool == string"', 'both sides must have the same type: convert with int(), double() or string()'],
    ['"load-a"', 0, 'the expression gives a text, not true or false', 'compare it with something'],
    ['[load-a.ok]', 0, 'the expression gives a list, not true or false', 'compare it with something'],
    ['load-a.ok()', 9, 'a value is no function', 'write it without parentheses'],
    ['load-a.ok.x', 10, "cannot index type 'bool'", undefined],
    ['has(extract.ok)', 0, 'has() is for parameters and outputs', 'write completed or ok without has()'],
    ['"x".matches("(a+)+$")', 4, 'there is no function "matches"', expect.stringContaining('startsWith') as string],
    ['[1].map(x, x) == [1]', 4, 'there is no function "map"', expect.any(String) as string],
    ['cel.bind(x, 1, x == 1)', 0, 'there is no step "cel"', undefined],
    ['sise("x") == 1', 0, 'there is no function "sise"', 'did you mean "size"?'],
    ['[1].exists(x, [1].exists(y, x == y))', 18, 'exists() inside another comprehension', expect.any(String) as string],
    ['!'.repeat(2_000) + 'extract.ok', 999, 'the expression is too large: more than 1000 parts', undefined],
    ['('.repeat(2_000), 50, 'the expression is too large: more than 50 levels', undefined],
    ['1' + '+1'.repeat(17) + ' > 0', 33, 'more than 16 sums in one expression', undefined],
    ['x'.repeat(longestExpression + 1), longestExpression, `the expression is longer than ${longestExpression} characters`, undefined],
  ];
  it.each(dependsOn)('of dependsOn: %s', (text, offset, message, hint) => {
    const expected = { kind: 'problem', message, offset: expect.any(Number) as number, ...(hint === undefined ? {} : { hint }) };
    const problem = problemOf(compileDependsOn(text, stepsNamed('extract', 'load-a', 'load-b')));
    expect(problem).toEqual(expected);
    if (!text.startsWith('!')) expect(problem.offset).toBe(offset);
  });

  const when: readonly [text: string, offset: number, message: string, hint: string | undefined][] = [
    ['steps.cuont.ok', 6, 'there is no step "cuont"', 'did you mean "count"?'],
    ['steps.count.outputs.row > 0', 20, 'there is no output "row"', 'did you mean "rows"?'],
    ['steps.load-a.outputs.x > 0', 21, 'there is no output "x"', 'step "load_a" declares no outputs'],
    ['steps.count.outputs', 12, '"steps.count.outputs" alone is no value', 'name what is meant: steps.count.outputs.rows'],
    ['steps.count', 6, '"steps.count" alone is no value', expect.stringContaining('write steps.count.ok') as string],
    ['steps', 0, '"steps" alone is no value', 'name what is meant: steps.load'],
    ['params["mdoe"] == "x"', 7, 'there is no parameter "mdoe"', 'did you mean "mode"?'],
    ['params.max-note == 1', 7, 'there is no parameter "max-note"', 'the parameters are mode, n, max-n, share, dry, options, regions, note'],
    ['params["n"]x == 1', 11, 'there is no name "x"', 'there are params, steps, run'],
    ['params["n"]true == 1', 12, 'the expression should end here', 'an operator such as && may be missing'],
    ['params[params.mode] == "x"', 0, '"params" alone is no value', 'name what is meant: params.mode'],
    ['count.ok', 0, '"count" is unknown here', 'write steps.count'],
    ['mode == "x"', 0, '"mode" is unknown here', 'write params.mode'],
    ['item.x == 1', 0, 'there is no name "item"', 'there are params, steps, run'],
    ['run.nmae == "x"', 4, 'there is no field of run "nmae"', 'did you mean "name"?'],
    ['run.outcome == "failed"', 4, 'run.outcome is known only when all steps have ended', 'ask for it in a step of finally'],
    ['steps.count.outputs.ratio == 2', 0, 'there is no operator for "double == int"', 'whole numbers and numbers do not mix: write 3.0, or double(x)'],
    ['steps.count.outputs.rows == "5"', 0, 'there is no operator for "int == string"', expect.any(String) as string],
    ['params.options.on', 0, 'the expression gives a value of no known type, not true or false', 'compare it: … == true'],
    ['params.max-n + "1" == 2', 0, 'there is no operator for "int + string"', expect.any(String) as string],
    ['$(params.mode) == "x"', 0, 'unexpected character: $', 'write params.x for $(params.x)'],
    ['params.mode.size( == 1', 18, 'unexpected token: "=="', undefined],
  ];
  it.each(when)('of when: %s', (text, offset, message, hint) => {
    expect(problemOf(compileWhen(text, whenScope))).toEqual({ kind: 'problem', message, offset, ...(hint === undefined ? {} : { hint }) });
  });
});

describe('hints', () => {
  it('say so where nothing is declared', () => {
    const nothing = { steps: new Map(), parameters: {} };
    expect(problemOf(compileWhen('params.x == 1', nothing))).toMatchObject({ message: 'there is no parameter "x"', hint: 'the workflow declares no parameters' });
  });
});

describe('the step itself', () => {
  it('cannot be looked at', () => {
    const problem = problemOf(compileWhen('params.mode == "x" || steps.load-a.ok', { ...whenScope, self: 'load_a' }));
    expect(problem).toEqual({ kind: 'problem', message: 'step "load-a" cannot look at itself', offset: 28, hint: 'it has no outcome before it has run' });
  });
});

describe('bounds', () => {
  it('a long chain is no deep nesting', () => {
    const names = Array.from({ length: 150 }, (_, index) => `s${index}`);
    const expression = valid(compileDependsOn(names.map((name) => `${name}.ok`).join(' && '), stepsNamed(...names)));
    expect(expression.steps).toEqual(names);
    expect(expression.evaluate(factsOf(Object.fromEntries(names.map((name) => [name, ended()]))))).toEqual({ kind: 'true' });
  });

  it('a list of ten thousand is walked over, the product of two is not', () => {
    const scope = { ...whenScope, parameters: { a: { type: 'array', default: undefined }, b: { type: 'array', default: undefined } } } as const;
    const many = Array.from({ length: 10_000 }, (_, index) => index);
    const facts = factsOf({}, { params: { a: many, b: many } });
    expect(whenSays('params.a.all(x, x >= 0) && params.a.size() == params.b.size()', facts, scope)).toBe('true');
    expect(whenSays('params.a.exists(x, x in params.b && x < 0)', facts, scope)).toBe('its values are too large for an expression');
  });

  it('a text counts by its characters where it is split', () => {
    const facts = factsOf({}, { params: { mode: 'x'.repeat(5_000) } });
    expect(whenSays('params.mode.split("").all(x, params.mode.contains(x))', facts)).toBe('its values are too large for an expression');
    expect(whenSays('params.mode.split("").all(x, x == "x")', facts)).toBe('true');
  });

  it('a value that is nested too deeply is an error', () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    expect(whenSays('params.regions == []', factsOf({}, { params: { regions: deep as never } }))).toBe('its values are too large for an expression');
  });
});
