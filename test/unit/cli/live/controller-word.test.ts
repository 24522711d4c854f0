/** What the controller wrote, read back. */
import { describe, expect, it } from 'vitest';
import { refusalIn, verdictIn, wordOf, type ControllerWord } from '../../../../src/cli/live/controller-word.ts';
import type { Reason } from '../../../../src/plan/reason.ts';
import { noon } from '../../../support/builders.ts';

const managed = (...entries: readonly (readonly [manager: string, time: string])[]): { metadata: object } => ({ metadata: { managedFields: entries.map(([manager, time]) => ({ manager, time })) } });
const word = (reason: Reason | undefined, changes: Partial<ControllerWord> = {}): ControllerWord => ({ state: 'Blocked', reason, message: 'it says so', hash: 'h1', at: noon, ...changes });

describe('wordOf', () => {
  it('is as old as the last write of the controller, whoever wrote since', () => {
    const raw = managed(['kubectl', '2026-01-01T12:00:00Z'], ['job-chief', '2026-01-01T10:00:00Z'], ['job-chief', '2026-01-01T11:00:00Z']) as never;
    expect(wordOf({ state: 'Idle', reason: 'QueueEmpty', message: 'no', observedHash: 'h1' }, raw)).toEqual({ state: 'Idle', reason: 'QueueEmpty', message: 'no', hash: 'h1', at: Date.parse('2026-01-01T11:00:00Z') });
  });

  it.each([
    ['nothing was written', undefined, undefined],
    ['anything was written', { state: 3, reason: ['x'] }, { state: 'Unknown', reason: undefined, message: '', hash: undefined, at: undefined }],
    ['a newer version has reasons of its own', { state: 'Idle', reason: 'constructor' }, { state: 'Idle', reason: undefined, message: '', hash: undefined, at: undefined }],
  ])('is sound where %s', (_, status, expected) => {
    expect(wordOf(status as never, {})).toEqual(expected);
  });
});

describe('verdictIn', () => {
  it.each<[Reason | undefined, string | undefined]>([
    ['TemplateRefused', 'refused'],
    ['TemplateUnchecked', 'unknown'],
    ['PolicyDenied', 'denied'],
    ['QueueEmpty', 'passed'],
    ['JobRunning', 'passed'],
    ['SpecChecking', undefined],
    [undefined, undefined],
  ])('is for %s: %s', (reason, kind) => {
    expect(verdictIn(word(reason), 'h1', noon)?.result.kind).toBe(kind);
  });

  it('says nothing about another text', () => {
    expect(verdictIn(word('QueueEmpty'), 'h2', noon)).toBeUndefined();
    expect(verdictIn(undefined, 'h1', noon)).toBeUndefined();
  });
});

describe('refusalIn', () => {
  it.each<[Reason, string | undefined]>([['QuotaExceeded', 'quota'], ['Forbidden', 'forbidden'], ['CreateRefused', 'refused'], ['JobNameTaken', 'taken'], ['QueueEmpty', undefined]])('is for %s: %s', (reason, kind) => {
    expect(refusalIn(word(reason), 'h1', noon)?.kind).toBe(kind);
  });

  it('counts from when it was written, else from now', () => {
    expect(refusalIn(word('QuotaExceeded'), 'h1', noon + 5)).toMatchObject({ at: noon, message: 'it says so', hash: 'h1' });
    expect(refusalIn(word('QuotaExceeded', { at: undefined }), 'h1', noon + 5)?.at).toBe(noon + 5);
    expect(refusalIn(word('QuotaExceeded'), 'h2', noon)).toBeUndefined();
  });
});
