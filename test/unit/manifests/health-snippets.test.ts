import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { healthAnnotation, kindLabel, statusAnnotation } from '../../../src/spec/keys.ts';
import { manifests } from './render.ts';

const docs = readFileSync(join(manifests, '../docs/gitops.md'), 'utf8');
const indented = (text: string): string => text.trimEnd().split('\n').map((line) => (line === '' ? '' : `    ${line}`)).join('\n');

describe('health snippets', () => {
  const lua = readFileSync(join(manifests, 'argocd/health.lua'), 'utf8');
  const cel = readFileSync(join(manifests, 'flux/health-check.yaml'), 'utf8').replace(/^#.*\n/gm, '');

  it('stand in docs/gitops.md as they lie in manifests', () => {
    expect(docs).toContain(indented(lua));
    expect(docs).toContain(indented(cel));
  });

  it('read the keys that job-chief writes', () => {
    expect(new Set(Array.from(lua.matchAll(/"(job-chief[^"]*)"/g), ([, key]) => key).filter((key) => !key?.includes(' ')))).toEqual(new Set([kindLabel, healthAnnotation, statusAnnotation]));
    expect(new Set(Array.from(cel.matchAll(/'(job-chief[^']*)'/g), ([, key]) => key))).toEqual(new Set([kindLabel, healthAnnotation]));
  });

  it('answer with statuses that Argo CD knows, and with Healthy for everything that is no spec', () => {
    const statuses = Array.from(lua.matchAll(/status = "(\w+)"/g), ([, status]) => status);
    expect(new Set(statuses)).toEqual(new Set(['Healthy', 'Degraded', 'Progressing']));
    expect(lua).toMatch(/if labels == nil or labels\["job-chief"\] == nil then\n {2}return health\nend/);
    expect(lua.trimEnd().endsWith('return health')).toBe(true);
  });

  it('use no library of Lua, which Argo CD does not load', () => {
    expect(lua.replace(/--.*$/gm, '')).not.toMatch(/\b(string|table|math|os|io)\.|:\w+\(|\b(pairs|ipairs|require|tostring)\b/);
  });
});
