import { describe, expect, it } from 'vitest';
import { UserError } from '../../../../src/cli/exit-code.ts';
import { parametersFor, readParameters } from '../../../../src/cli/runs/parameters.ts';
import type { Json, JsonObject } from '../../../../src/lib/json.ts';
import type { ParameterSpec, ValueType } from '../../../../src/spec/workflow.ts';

function aParameter(type: ValueType, more: Partial<ParameterSpec> = {}): ParameterSpec {
  return { type, schema: { type }, default: undefined, optional: true, ...more };
}
const declared = {
  day: aParameter('string', { optional: false }),
  rows: aParameter('integer', { schema: { type: 'integer', minimum: 1 } }),
  rate: aParameter('number'),
  full: aParameter('boolean', { default: false, optional: false }),
  regions: aParameter('array', { schema: { type: 'array', items: { type: 'string' } } }),
  options: aParameter('object'),
};
const values = (assignments: readonly string[], document: JsonObject = {}): JsonObject => parametersFor(declared, { assignments, document });
const complaint = (assignments: readonly string[], document?: JsonObject): string => {
  try {
    return JSON.stringify(values(assignments, document));
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
};

describe('values', () => {
  it.each<[string, string, Json]>([
    ['day=2026-03-01', 'day', '2026-03-01'],
    ['day=', 'day', ''],
    ['day=a=b', 'day', 'a=b'],
    ['rows=12', 'rows', 12],
    ['rate=-1.5e3', 'rate', -1500],
    ['full=true', 'full', true],
    ['regions=["eu","us"]', 'regions', ['eu', 'us']],
    ['options={"a":{"b":1}}', 'options', { a: { b: 1 } }],
  ])('%s has the declared type', (assignment, name, value) => {
    expect(values([assignment], { day: 'given' })).toEqual({ day: 'given', [name]: value });
  });

  it('of -p go over those of the document; defaults are left to the run', () => {
    expect(values(['rows=2'], { day: 'monday', rows: 1 })).toEqual({ day: 'monday', rows: 2 });
  });
});

describe('what is wrong is said in a sentence', () => {
  it.each<[readonly string[], string]>([
    [[], 'the parameter "day" needs a value of type string: -p day=…'],
    [['day=x', 'row=1'], 'there is no parameter "row"; did you mean "rows"?'],
    [['day=x', 'zzz=1'], 'there is no parameter "zzz"; there is day, rows, rate, full, regions, options'],
    [['day=x', 'rows=many'], 'parameter "rows" is a number, not "many"'],
    [['day=x', 'rows=0x10'], 'parameter "rows" is a number, not "0x10"'],
    [['day=x', 'rows=1.5'], 'parameter rows: must be a whole number, is the number 1.5'],
    [['day=x', 'rows=0'], 'parameter rows: must be at least 1, is 0'],
    [['day=x', 'full=yes'], 'parameter "full" is true or false, not "yes"'],
    [['day=x', 'regions=eu'], 'parameter "regions" is an array, to be written as JSON: '],
    [['day=x', 'regions=[1]'], 'parameter regions[0]: must be text, is the number 1'],
    [['day=x', 'day=y'], 'parameter "day" is given twice'],
    [['day'], '-p takes name=value, not "day"'],
    [['=x'], '-p takes name=value, not "=x"'],
  ])('%j', (assignments, message) => {
    expect(complaint(assignments)).toContain(message);
  });

  it('all of it at once', () => {
    expect(complaint([], { rows: 0, nothing: 1 }).split('\n')).toHaveLength(3);
  });

  it('a missing one whose name every object has', () => {
    const odd = { constructor: { type: 'string', schema: { type: 'string' }, default: undefined, optional: false } } as const;
    expect(() => parametersFor(odd, { assignments: [], document: {} })).toThrow('the parameter "constructor" needs a value of type string');
  });

  it('where there are no parameters at all', () => {
    expect(() => parametersFor({}, { assignments: ['constructor=1'], document: {} })).toThrow('there is no parameter "constructor"; none are declared');
  });
});

describe('--parameters', () => {
  const read = (text: string) => (): Promise<string> => Promise.resolve(text);

  it('is the text itself, or a file with JSON or YAML', async () => {
    expect(await readParameters('{"a": [1]}', read('x'))).toEqual({ a: [1] });
    expect(await readParameters(' {a: 1}')).toEqual({ a: 1 });
    expect(await readParameters('values.yaml', read('a: text\nb: 1\n'))).toEqual({ a: 'text', b: 1 });
    expect(await readParameters(undefined)).toEqual({});
  });

  it.each<[string, string, string]>([
    ['values.yaml', '[1]', 'values.yaml must be a mapping of names to values, is [1]'],
    ['values.yaml', 'a: [', 'values.yaml cannot be read as JSON or YAML: '],
    ['{"a": }}', '', 'the parameters cannot be read as JSON or YAML: '],
  ])('%s with %j is refused', async (given, text, message) => {
    await expect(readParameters(given, read(text))).rejects.toThrow(message);
  });

  it('names a file that is not there', async () => {
    await expect(readParameters('no-such-file.json')).rejects.toThrow(/cannot read the parameters: ENOENT.*no-such-file\.json/);
  });
});
