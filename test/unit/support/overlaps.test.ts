import { describe, expect, it } from 'vitest';
import { overlapsIn, type Sight } from '../../e2e/support/overlaps.ts';

const ofStep = { 'job-chief/instance': 'default', 'job-chief/kind': 'workflow', 'job-chief/name': 'revert', 'job-chief/run': 'revert-1', 'job-chief/step': 'entry' };
const seen = (kind: 'Job' | 'Pod', name: string, more: Record<string, string> = {}, ended = false, gone = false): Sight => ({ gone, object: { kind, metadata: { uid: `uid-${name}`, name, labels: { ...ofStep, ...more } }, ended } });

describe('overlaps in the history of a namespace', () => {
  it.each<[string, Sight[], string[]]>([
    ['an attempt beside the one before it', [seen('Job', 'a'), seen('Job', 'b')], ['Job b was made while Job a lived']],
    ['an attempt beside a pod of the one before it', [seen('Job', 'a'), seen('Pod', 'a-1'), seen('Job', 'a', {}, true), seen('Job', 'b')], ['Job b was made while Pod a-1 lived']],
    ['an attempt after the end of the one before it', [seen('Job', 'a'), seen('Job', 'a', {}, true), seen('Job', 'b')], []],
    ['an attempt after one that was deleted', [seen('Job', 'a'), seen('Job', 'a', {}, false, true), seen('Job', 'b')], []],
    ['two items of one step', [seen('Job', 'a', { 'job-chief/index': '0' }), seen('Job', 'b', { 'job-chief/index': '1' })], []],
    ['the undo of a step whose Job is not yet told to be over', [seen('Job', 'a'), seen('Job', 'undo', { 'job-chief/undo': 'true' })], []],
    ['two attempts to undo one step', [seen('Job', 'undo', { 'job-chief/undo': 'true' }), seen('Job', 'again', { 'job-chief/undo': 'true' })], ['Job again was made while Job undo lived']],
  ])('are told of %s as they are', (_, sights, lines) => {
    expect(overlapsIn(sights)).toEqual(lines);
  });

  it('are told of two Jobs of one queue, whatever their runs, and of nobody else\'s Jobs', () => {
    const ofQueue = (name: string, run: string): Sight => seen('Job', name, { 'job-chief/kind': 'queue', 'job-chief/name': 'q', 'job-chief/run': run });
    const foreign = (name: string): Sight => ({ gone: false, object: { kind: 'Job', metadata: { uid: name, name, labels: {} }, ended: false } });
    expect(overlapsIn([ofQueue('one', '1'), ofQueue('two', '2'), foreign('x'), foreign('y')])).toEqual(['Job two was made while Job one lived']);
  });

  it('are told of two Jobs of one message, and of a pod of the one before it, and not of those of two messages', () => {
    const ofMessage = (kind: 'Job' | 'Pod', name: string, id: string, ended = false): Sight => {
      const labels = { 'job-chief/instance': 'default', 'job-chief/kind': 'queue', 'job-chief/name': 'q', ...(kind === 'Pod' && { 'job-name': name.replace('-pod', '') }) };
      return { gone: false, object: { kind, metadata: { uid: name, name, labels, ...(kind === 'Job' && { annotations: { 'job-chief/message': JSON.stringify({ id }) } }) }, ended } };
    };
    const [one, pod, other] = [ofMessage('Job', 'a1', 'a'), ofMessage('Pod', 'a1-pod', 'a'), ofMessage('Job', 'b1', 'b')];
    expect(overlapsIn([one, pod, other])).toEqual([]);
    expect(overlapsIn([one, pod, ofMessage('Job', 'a1', 'a', true), ofMessage('Job', 'a2', 'a')])).toEqual(['Job a2 was made while Pod a1-pod lived']);
    expect(overlapsIn([one, ofMessage('Job', 'a2', 'a')])).toEqual(['Job a2 was made while Job a1 lived']);
  });
});
