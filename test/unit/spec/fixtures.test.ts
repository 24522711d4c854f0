import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSpec } from '../../../src/spec/parse.ts';

const folder = path.join(import.meta.dirname, '../../fixtures/specs');
const read = (kind: string) => readdirSync(path.join(folder, kind)).map((file) => [file.replace(/\.yaml$/, '').replaceAll('-', ' '), readFileSync(path.join(folder, kind, file), 'utf8')] as const);
const parse = (text: string) => parseSpec({ file: 'spec.yaml', objectName: 'thumbnails', label: undefined, data: { 'spec.yaml': text } }, {});

describe('valid specs have no problems', () => {
  it.each(read('valid'))('%s', (_name, text) => {
    const { problems, spec } = parse(text);
    expect(problems).toEqual([]);
    expect(spec).toBeDefined();
  });
});

/** Each invalid spec ends in comments that say what is expected: line, column, code and path. */
describe('invalid specs have exactly the expected problems', () => {
  it.each(read('invalid'))('%s', (_name, text) => {
    const expected = [...text.matchAll(/^# expect: (.+)$/gm)].map((match) => match[1] ?? '');
    const { problems, spec } = parse(text);
    const found = problems.map(({ code, path: field, position }) => `${position?.line ?? 0}:${position?.column ?? 0} ${code} ${field ?? '-'}`);
    expect(found.toSorted()).toEqual(expected.toSorted());
    expect(spec === undefined).toBe(problems.some(({ severity }) => severity === 'error'));
  });

  it.each(read('invalid'))('%s: each message is one sentence without a full stop', (_name, text) => {
    for (const { message, hint } of parse(text).problems) {
      expect(message).toMatch(/^[^\n]{8,300}$/);
      expect(message).not.toMatch(/\.$|undefined|\[object/);
      expect(hint ?? 'none').toMatch(/^[^\n]{4,}$/);
    }
  });
});
