import { describe, expect, it } from 'vitest';
import type { ObservedRecord } from '../../../../src/plan/run/record.ts';
import { aFile, hours, noon } from '../../../support/builders.ts';
import { aBrokenWorkflow, anEndedRun, aRecord, aWorkflowClaim, etlMap, observedWorkflow, onRequest, planFor, shortActs } from '../../../support/workflows.ts';

const spec = onRequest({ onSpecDelete: 'finish' });
const loser = aWorkflowClaim(spec, etlMap({ name: 'etl-old', uid: 'cm-old', createdAt: noon - hours(9) }));
const winner = aWorkflowClaim(spec, etlMap({ name: 'etl-new', uid: 'cm-new', createdAt: noon - hours(1) }));
const owned = (ownerUid: string | undefined, changes: Parameters<typeof aRecord>[0] = {}): ObservedRecord => aRecord({ ...changes, ownerUid });
const acts = (record: ObservedRecord, claims = [loser, winner]): string[] => shortActs(planFor(observedWorkflow(spec, { claims, records: [record] })));

describe('runs follow the ConfigMap that defines their workflow', () => {
  it('from one that lost', () => {
    expect(planFor(observedWorkflow(spec, { claims: [loser, winner], records: [owned('cm-old')] })).actions).toEqual([
      { kind: 'reownRun', reason: 'OwnerChanged', because: 'ConfigMap "etl-new" defines the workflow now', record: { name: 'etl-1', uid: 'uid-etl-1', resourceVersion: '100' }, owner: { name: 'etl-new', uid: 'cm-new' } },
    ]);
  });

  it.each([
    ['from one that is being deleted', owned('cm-old'), [aWorkflowClaim(spec, etlMap({ uid: 'cm-old', deleting: true, createdAt: noon })), winner]],
    ['also to one whose text is broken', owned('cm-old'), [loser, aBrokenWorkflow(etlMap({ uid: 'cm-new', createdAt: noon }))]],
    ['also when they are over', anEndedRun('Failed', noon - hours(1), { ownerUid: 'cm-old' }), [loser, winner]],
  ])('%s', (_sentence, record, claims) => {
    expect(acts(record, claims)).toEqual(['reownRun OwnerChanged etl-1']);
  });

  it.each([
    ['what the winner owns', owned('cm-new'), [loser, winner]],
    ['what nothing owns', owned(undefined), [loser, winner]],
    ['what a parent run owns', owned('uid-parent-1'), [loser, winner]],
    ['what an owner has that is not known here: it may be newer', owned('cm-next'), [loser, winner]],
    ['what is being deleted', owned('cm-old', { deleting: true }), [loser, winner]],
    ['anything, where a file has won: it owns nothing', owned('cm-old'), [loser, aWorkflowClaim(spec, aFile({ createdAt: noon }))]],
  ])('not %s', (_sentence, record, claims) => {
    expect(acts(record, claims)).toEqual([]);
  });
});
