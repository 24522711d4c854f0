import { describe, expect, it } from 'vitest';
import { parseStartRate } from '../../../src/spec/start-rate.ts';
import { codes, parse } from './input.ts';

const aLimits = (...lines: readonly string[]): string => ['apiVersion: job-chief/v1', 'kind: Limits', ...lines, ''].join('\n');
const read = (...lines: readonly string[]): ReturnType<typeof parse> => parse(aLimits(...lines), { label: 'limits', objectName: 'team', file: 'configmap/team' });

describe('Limits', () => {
  it('bound nothing where nothing is set', () => {
    expect(read().spec).toEqual({ kind: 'Limits', name: 'team', hash: read().hash, suspend: false, maxJobs: undefined, groups: new Map(), startRate: undefined });
  });

  it('are read with all that they may set', () => {
    expect(read('maxJobs: 100', 'groups: {gpu: 4, closed: 0}', 'startRate: 100/1m', 'suspend: true').spec).toMatchObject({
      suspend: true,
      maxJobs: 100,
      groups: new Map([['gpu', 4], ['closed', 0]]),
      startRate: { starts: 100, within: 60_000 },
    });
  });

  const problems: readonly [what: string, line: string, codes: readonly string[]][] = [
    ['a field that it does not have', 'maxJob: 3', ['UnknownField maxJob']],
    ['a number below zero', 'maxJobs: -1', ['InvalidValue maxJobs']],
    ['a group that is no number', 'groups: {gpu: four}', ['WrongType groups.gpu']],
    ['a group whose name is no label value', 'groups: {GPU: 4}', ['InvalidValue groups.GPU']],
    ['a group named as an inherited field', 'groups: {__proto__: 4}', ['UnsupportedYaml groups']],
    ['a rate without a count for its time', 'startRate: 10/s', ['InvalidValue startRate']],
    ['a rate over more than a day', 'startRate: 10/25h', ['InvalidValue startRate']],
    ['a rate that is a number', 'startRate: 10', ['WrongType startRate']],
    ['fields of specs that start Jobs', 'retention: {succeeded: {count: 1}}', ['UnknownField retention']],
  ];
  it.each(problems)('refuse %s', (_, line, expected) => {
    expect(codes(read(line))).toEqual(expected);
    expect(read(line).spec).toBeUndefined();
  });

  it('say what a rate looks like', () => {
    expect(read('startRate: 10/s').problems[0]?.message).toBe('must be a count and a duration of at most a day, such as "10/1s" or "100/1m", is "10/s"');
  });
});

describe('a start rate', () => {
  const cases: readonly [text: string, starts: number | undefined, within: number | undefined][] = [
    ['10/1s', 10, 1000],
    ['1/24h', 1, 86_400_000],
    ['0/1s', undefined, undefined],
    ['10/0s', undefined, undefined],
    ['10/1d', undefined, undefined],
    ['10', undefined, undefined],
    ['1e3/1s', undefined, undefined],
  ];
  it.each(cases)('%s', (text, starts, within) => {
    const rate = parseStartRate(text);
    expect([rate?.starts, rate?.within]).toEqual([starts, within]);
  });
});
