import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { statusText } from '../../../../src/plan/status-text.ts';
import { parameterTexts } from '../../../../src/plan/workflow/parameter-texts.ts';
import type { ParameterSpec } from '../../../../src/spec/workflow.ts';

const parameter = (type: ParameterSpec['type'], changes: Partial<ParameterSpec> = {}, description?: string): ParameterSpec => ({ type, schema: { type, ...(description === undefined ? {} : { description }) }, default: undefined, optional: false, ...changes });

const bare = { state: 'Idle', reason: 'WaitsForRequest', message: '', health: 'Healthy', observedHash: undefined, conditions: [], lastRun: undefined } as const;

describe('what a request may set', () => {
  it('is told by type, need and description', () => {
    expect(parameterTexts({
      url: parameter('string', {}, 'Where the picture is'),
      size: parameter('integer', { default: 512 }),
      tags: parameter('array', { default: [] }),
      note: parameter('string', { optional: true }),
    }, 1000)).toEqual({ url: 'string, required: Where the picture is', size: 'integer, default 512', tags: 'array, default []', note: 'string, optional' });
  });

  it('is told by its beginning where it is long', () => {
    const { text = '' } = parameterTexts({ text: parameter('string', { default: 'a'.repeat(500) }, 'b'.repeat(500)) }, 1000) ?? {};
    expect(text).toMatch(/^string, default "a{50,57}…: b{100,120}…$/);
  });

  it('says how many have no room, and nothing where there are none', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`parameter-${n}`, parameter('string')]));
    const texts = parameterTexts(many, 500) ?? {};
    expect(Object.keys(texts).at(-1)).toBe('…');
    expect(texts['…']).toBe(`${300 - (Object.keys(texts).length - 1)} more`);
    expect([parameterTexts({}, 500), parameterTexts(many, 20), parameterTexts(many, -5)]).toEqual([undefined, undefined, undefined]);
  });

  it('never takes more room than there is', () => {
    const entries = fc.dictionary(fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'), fc.record({ value: fc.string({ maxLength: 200 }), description: fc.string({ maxLength: 300, unit: 'grapheme' }) }), { maxKeys: 40 });
    fc.assert(fc.property(entries, fc.integer({ min: 0, max: 2000 }), (given, room) => {
      const texts = parameterTexts(Object.fromEntries(Object.entries(given).map(([name, { value, description }]) => [name, parameter('string', { default: value }, description)])), room);
      const taken = Buffer.byteLength(statusText({ ...bare, ...(texts && { parameters: texts }) })) - Buffer.byteLength(statusText(bare));
      expect(taken).toBeLessThanOrEqual(texts === undefined ? 0 : room);
    }));
  });
});
