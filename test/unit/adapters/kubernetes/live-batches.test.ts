import { describe, expect, it } from 'vitest';
import { liveBatches } from '../../../../src/adapters/kubernetes/live-batches.ts';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { batchNoteText } from '../../../../src/plan/messages/batches/batch-note.ts';
import { aNote } from '../../../support/message-builders.ts';
import { ScriptedClient } from './scripted-client.ts';

function aRawBatch({ labels = {}, annotations = {}, spec = {} }: { readonly labels?: JsonObject; readonly annotations?: JsonObject; readonly spec?: JsonObject } = {}): JsonObject {
  return {
    metadata: { name: 'orders-x', uid: 'uid-x', resourceVersion: '7', labels, annotations: { 'job-chief/batch': batchNoteText([aNote('a'), aNote('b')]), ...annotations } },
    spec: { suspend: true, template: { spec: { volumes: [{ name: 'job-chief-message', secret: { secretName: 'orders-x-1' } }] } }, ...spec },
  };
}

const seen = (...jobs: JsonObject[]): ReturnType<typeof liveBatches> => liveBatches({ client: new ScriptedClient({ jobs }), instance: 'default' }, { kind: 'queue', name: 'orders' });

describe('a live look at batches', () => {
  it('tells what is known of one that was not let go', async () => {
    expect(await seen(aRawBatch())).toEqual({ kind: 'found', value: [{ name: 'orders-x', uid: 'uid-x', resourceVersion: '7', deleting: false, finished: false, committed: false, resumed: false, kueue: false, secret: 'orders-x-1', unsettled: ['a', 'b'] }] });
  });

  it.each([
    ['was let go', { annotations: { 'job-chief/committed': 'true' }, spec: { suspend: false } }, { committed: true, resumed: true }],
    ['somebody resumed', { spec: { suspend: false } }, { committed: false, resumed: true }],
    ['is in a queue of Kueue', { labels: { 'kueue.x-k8s.io/queue-name': 'gpu' } }, { kueue: true, resumed: false }],
    ['has a message that is settled', { annotations: { 'settled.job-chief/0': '{"as":"completed","at":1}' } }, { unsettled: ['b'] }],
  ])('tells that one %s', async (_sentence, job, told) => {
    expect(await seen(aRawBatch(job))).toMatchObject({ value: [told] });
  });

  it('leaves out a Job whose notes nobody can read, or that has none', async () => {
    expect(await seen(aRawBatch({ annotations: { 'job-chief/batch': '[{}]' } }), { metadata: { name: 'one', uid: 'uid-1' } })).toEqual({ kind: 'found', value: [] });
  });
});
