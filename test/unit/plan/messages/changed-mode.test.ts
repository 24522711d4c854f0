import { describe, expect, it } from 'vitest';
import { aRunningPod } from '../../../support/builders.ts';
import { aLease, aMessageJob, aMessageQueueSpec, aNote, freeOf, observedMessages, startsOf } from '../../../support/message-builders.ts';
import { planAt, standing } from '../../../support/planning.ts';
import { aRecord } from '../../../support/record-fakes.ts';

const spec = aMessageQueueSpec({ concurrency: { max: 3 } });
const run = (id: string) => aRecord({ name: `thumbnail-${id}`, target: { kind: 'template', name: 'thumbnail' }, request: { template: 'thumbnail', trigger: 'message', queue: spec.name, specHash: 'hash-0' }, message: { note: aNote(id, { bare: true }), settled: undefined } });
const lease = (id: string) => aLease(id);

describe('a Queue whose messages started runs, and start Jobs now', () => {
  const runs = [run('a'), run('b')];

  it('has the places that those runs leave', () => {
    const view = observedMessages(spec, { runs, leases: ['a', 'b', 'c', 'd'].map(lease) });
    expect(startsOf(planAt(view)).map(({ id }) => id)).toEqual(['c']);
    expect(freeOf(planAt(observedMessages(spec, { runs, leases: ['a', 'b'].map(lease) })))).toBe(1);
  });

  it('says that they are active', () => {
    const leases = ['a', 'b'].map(lease);
    expect(standing(observedMessages(spec, { runs, leases }))).toEqual({ state: 'Running', reason: 'MessagesRunning', message: '2 runs are active' });
    expect(standing(observedMessages(spec, { runs, leases }, { jobs: [aMessageJob('c', { pods: [aRunningPod()] })] })).message).toBe('1 Job is live');
  });

  it('ends no run for another text', () => {
    const { actions } = planAt(observedMessages({ ...spec, onSpecChange: 'replace' }, { runs, leases: ['a', 'b'].map(lease) }));
    expect(actions).toEqual([]);
  });
});
