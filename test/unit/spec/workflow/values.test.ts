import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { valueFindings } from '../../../../src/spec/parameter-rules.ts';
import { aWorkflow, validWorkflow } from './input.ts';

const { parameters } = validWorkflow(
  aWorkflow('parameters:', '  day: {type: string, pattern: "^\\\\d{4}-\\\\d{2}-\\\\d{2}$"}', '  pods: {type: integer, minimum: 1, maximum: 9, default: 1}', '  note: {type: string, optional: true}', '  sizes: {type: array, items: {type: integer}, optional: true}'),
);

describe('values of a request', () => {
  const cases: readonly [what: string, values: JsonObject, expected: readonly string[]][] = [
    ['that fit', { day: '2026-01-01', pods: 3 }, []],
    ['with optional ones', { day: '2026-01-01', pods: 3, note: 'x', sizes: [1] }, []],
    ['without a required one', { pods: 3 }, ['MissingField day: the field "day" is required']],
    ['of another type', { day: '2026-01-01', pods: '3' }, ['WrongType pods: must be a whole number, is the text "3"']],
    ['out of bounds', { day: '2026-01-01', pods: 10 }, ['InvalidValue pods: must be from 1 to 9, is 10']],
    ['against the pattern', { day: 'today', pods: 1 }, ['InvalidValue day: must match pattern "^\\d{4}-\\d{2}-\\d{2}$", is "today"']],
    ['deep inside', { day: '2026-01-01', pods: 1, sizes: [1, 'a'] }, ['WrongType sizes[1]: must be a whole number, is the text "a"']],
    ['that are not declared', { day: '2026-01-01', pods: 1, dya: 'x' }, ['UnknownField dya: unknown field "dya"']],
  ];
  it.each(cases)('%s', (_what, values, expected) => {
    const found = valueFindings(parameters, values).map(({ code, path = [], message }) => `${code} ${path.map((part) => (typeof part === 'number' ? `[${part}]` : part)).join('')}: ${message}`);
    expect(found).toEqual(expected);
  });
});
