import { describe, expect, it } from 'vitest';
import type { CallDemand } from '../../../src/plan/action.ts';
import { tellBefore, type Told } from '../../../src/plan/before-delete.ts';
import type { Calls, CallState } from '../../../src/plan/observed.ts';
import { noon, minutes, seconds } from '../../support/builders.ts';

const hook = { url: 'https://hooks.example/jobs', timeout: 10_000 };

function ask(names: readonly string[], calls: Readonly<Record<string, CallState>> = {}, now = noon): Told<string> & { started: string[]; remembered: string[]; wake: number | undefined } {
  const demands: CallDemand[] = [];
  let wake: number | undefined;
  const told = tellBefore({ demand: (demand) => demands.push(demand), wake: (at) => { wake = at; } }, names.map((name) => ({ item: name, uid: `uid-${name}`, body: { name } })), { hook, calls: new Map(Object.entries(calls).map(([name, state]) => [`uid-${name}`, state])), now });
  const of = (start: boolean): string[] => demands.filter((demand) => demand.start === start).map(({ body }) => body['name'] as string);
  return { ...told, started: of(true), remembered: of(false), wake };
}
const failed = (count: number, at = noon, message = 'HTTP 500'): CallState => ({ kind: 'failed', count, at, message });

describe('what is told before it goes', () => {
  it('goes at once where nobody is to be told', () => {
    const none: Calls = new Map();
    expect(tellBefore({ demand: () => { throw new Error('asked'); }, wake: () => undefined }, [{ item: 'a', uid: 'u', body: {} }], { hook: undefined, calls: none, now: noon })).toEqual({ gone: ['a'], failing: undefined });
  });

  it('stays until its call is accepted, and is asked for with its own id', () => {
    expect(ask(['a', 'b'], { b: { kind: 'accepted' } })).toEqual({ gone: ['b'], failing: undefined, started: ['a'], remembered: ['b'], wake: undefined });
  });

  it('is called once at a time, and eight at once', () => {
    const names = Array.from({ length: 12 }, (_, index) => `n${index}`);
    expect(ask(names).started).toHaveLength(8);
    expect(ask(names, { n0: { kind: 'underWay' }, n1: { kind: 'underWay' } })).toMatchObject({ started: ['n2', 'n3', 'n4', 'n5', 'n6', 'n7'], gone: [] });
  });

  it.each([[1, seconds(1)], [2, seconds(2)], [5, seconds(16)], [10, seconds(512)], [11, minutes(10)], [1000, minutes(10)]])('is called again after %d failures in %d ms, not before', (count, pause) => {
    const state = { a: failed(count) };
    expect(ask(['a'], state, noon + pause - 1)).toMatchObject({ started: [], gone: [], wake: noon + pause });
    expect(ask(['a'], state, noon + pause)).toMatchObject({ started: ['a'], gone: [], wake: undefined });
  });

  it('does not hold up others while its call fails', () => {
    const names = Array.from({ length: 10 }, (_, index) => `n${index}`);
    expect(ask(names, Object.fromEntries(names.slice(0, 8).map((name) => [name, failed(3)])))).toMatchObject({ started: ['n8', 'n9'] });
  });

  it('says how many stay, and why', () => {
    expect(ask(['a', 'b', 'c'], { a: failed(1, noon - 5, 'HTTP 500'), b: failed(4, noon, 'no answer within 10 s'), c: { kind: 'accepted' } }).failing).toEqual({ count: 2, message: 'no answer within 10 s' });
  });
});
