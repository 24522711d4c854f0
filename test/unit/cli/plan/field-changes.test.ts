import { describe, expect, it } from 'vitest';
import { fieldChanges } from '../../../../src/cli/plan/field-changes.ts';

describe('fieldChanges', () => {
  it.each([
    ['nothing where only the order differs', { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }, []],
    ['a value that is another', { job: { image: 'x:1' } }, { job: { image: 'x:2' } }, [{ path: 'job.image', before: 'x:1', after: 'x:2' }]],
    ['a field that is new', {}, { suspend: true }, [{ path: 'suspend', after: true }]],
    ['a field that is gone, behind the others', { drain: {}, timeout: '1m' }, { drain: { checkInterval: '5s' } }, [{ path: 'drain.checkInterval', after: '5s' }, { path: 'timeout', before: '1m' }]],
    ['entries of a list by their names, wherever they stand', { steps: [{ name: 'a', x: 1 }, { name: 'b' }] }, { steps: [{ name: 'b' }, { name: 'a', x: 2 }] }, [{ path: 'steps.a.x', before: 1, after: 2 }]],
    ['a list without names as a whole', { command: ['a', 'b'] }, { command: ['a', 'c'] }, [{ path: 'command', before: ['a', 'b'], after: ['a', 'c'] }]],
    ['a list with a name twice as a whole', { env: [{ name: 'a' }, { name: 'a' }] }, { env: [{ name: 'a' }] }, [{ path: 'env', before: [{ name: 'a' }, { name: 'a' }], after: [{ name: 'a' }] }]],
    ['names like those that every object has', { env: {} }, { env: { constructor: 'x', toString: 1 } }, [{ path: 'env.constructor', after: 'x' }, { path: 'env.toString', after: 1 }]],
    ['null, which is a value', { a: null }, { a: 1 }, [{ path: 'a', before: null, after: 1 }]],
    ['a text that could not be read before', undefined, { a: 1 }, [{ path: '', after: { a: 1 } }]],
  ])('shows %s', (_, before, after, expected) => {
    expect(fieldChanges(before, after)).toEqual(expected);
  });
});
