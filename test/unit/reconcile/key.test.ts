import fc from 'fast-check';
import { expect, it } from 'vitest';
import { documentText, parseKey, runKey, specText, workflowKey } from '../../../src/reconcile/key.ts';

it('keys survive the work queue, whatever is in them', () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('queue' as const, 'workflow' as const, 'template' as const, 'request' as const, 'limits' as const, 'run' as const, 'unknown' as const), (text, kind) => {
      expect(parseKey(documentText(text))).toEqual({ kind: 'document', id: text });
      expect(parseKey(specText({ kind, name: text }))).toEqual({ kind: 'spec', key: { kind, name: text } });
    }),
  );
});

it('a kind that does not exist is unknown', () => {
  expect(parseKey('spec/other/x')).toEqual({ kind: 'spec', key: { kind: 'unknown', name: 'x' } });
  expect(parseKey('')).toEqual({ kind: 'spec', key: { kind: 'unknown', name: '' } });
});

it('runs and workflows have keys of their own kinds, also where they have one name', () => {
  expect([specText(runKey('nightly')), specText(workflowKey('nightly'))]).toEqual(['spec/run/nightly', 'spec/workflow/nightly']);
});
