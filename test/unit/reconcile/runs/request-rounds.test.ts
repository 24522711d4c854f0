import { describe, expect, it } from 'vitest';
import type { ObservedRecord } from '../../../../src/plan/run/record.ts';
import { planRequest } from '../../../../src/plan/request/plan-request.ts';
import type { SpecKey } from '../../../../src/plan/observed.ts';
import { requestKey, specText, workflowKey } from '../../../../src/reconcile/key.ts';
import { Memory } from '../../../../src/reconcile/memory.ts';
import type { SpecDocument } from '../../../../src/reconcile/ports.ts';
import { Reporter } from '../../../../src/reconcile/reporter.ts';
import { RecordKeeper } from '../../../../src/reconcile/runs/record-keeper.ts';
import { askedRecords, keyOfRequest } from '../../../../src/reconcile/runs/request-key.ts';
import { RequestRounds } from '../../../../src/reconcile/runs/request-rounds.ts';
import { SpecIndex } from '../../../../src/reconcile/spec-index.ts';
import { StatusWriter } from '../../../../src/reconcile/status-writer.ts';
import { TargetWaits } from '../../../../src/reconcile/target-waits.ts';
import { parseSpec } from '../../../../src/spec/parse.ts';
import { aConfigMap, aFile, anEnvironment, noon } from '../../../support/builders.ts';
import { FakeClock, settle } from '../../../support/fake-clock.ts';
import { FakeEvents, FakeLeadership, FakeLog, FakeMeter, FakeSpecs, FakeStatusSink } from '../../../support/fakes.ts';
import { FakeMessageMeter } from '../../../support/message-fakes.ts';
import { FakeRecordCache, FakeRecordStore } from '../../../support/record-fakes.ts';
import { aRecord } from '../../../support/workflows.ts';

const key = requestKey('first');
const runText = (...lines: readonly string[]): string => ['apiVersion: job-chief/v1', 'kind: Run', 'name: first', 'workflow: etl', ...lines].join('\n');
const workflowText = (...lines: readonly string[]): string => ['apiVersion: job-chief/v1', 'kind: Workflow', 'name: etl', 'trigger: {onRequest: true}', 'steps: [{name: a, job: {image: x}}]', ...lines].join('\n');

function aShell() {
  const clock = new FakeClock(noon);
  const store = new FakeRecordStore();
  const records = new FakeRecordCache(store);
  const documents = new FakeSpecs();
  const leadership = new FakeLeadership();
  const events = new FakeEvents();
  const meter = new FakeMeter();
  const log = new FakeLog();
  const sink = new FakeStatusSink();
  const woken: string[] = [];
  const specs = new SpecIndex(documents, (input) => parseSpec(input, {}));
  const recordNames = new Memory({ clock, cache: records });
  const keeper = new RecordKeeper({ clock, store, wrote: () => undefined, merged: () => undefined, ended: () => undefined });
  const reporter = new Reporter({ clock, statuses: new StatusWriter({ clock, sink, busy: () => false, forbidden: () => undefined }), events, meter, messageMeter: new FakeMessageMeter(), log, leadership });
  const changed = (key: SpecKey): unknown => woken.push(specText(key));
  const targets = new TargetWaits({ specs, checker: { verdict: () => undefined }, changed });
  const rounds = new RequestRounds({ targets, clock, environment: anEnvironment(), plan: planRequest, records, reporter, meter, log, leadership, specs, store, keeper, recordNames, changed });
  const put = (id: string, text: string | undefined, source: SpecDocument['source'] = aConfigMap({ name: id, uid: `uid-${id}` })): void => {
    if (text === undefined) documents.documents.delete(id);
    else documents.documents.set(id, { source, file: id, objectName: id, label: undefined, data: { 'spec.yaml': text } });
    specs.take(id);
  };
  const round = async (of = key): ReturnType<RequestRounds['round']> => {
    const result = await rounds.round(of);
    await settle();
    return result;
  };
  return { clock, store, records, documents, specs, leadership, meter, log, sink, woken, targets, rounds, put, round };
}
const states = ({ sink }: ReturnType<typeof aShell>): string[] => sink.written.map(({ state }) => state);

describe('a Run in a ConfigMap', () => {
  it('is asked for once, and its record brings the next round', async () => {
    const shell = aShell();
    shell.put('etl', workflowText());
    shell.put('first', runText('priority: 3'));
    expect(await shell.round()).toEqual({ kind: 'done', again: undefined });
    expect(shell.store.created).toMatchObject([{ request: { workflow: 'etl', run: 'first', source: 'uid-first', priority: 3 }, data: undefined, owner: undefined }]);
    expect(states(shell)).toEqual([]);
    await shell.round();
    expect([shell.store.created.length, states(shell)]).toEqual([1, ['Queued']]);
  });

  it('is not asked for by a process that does not lead, nor with a text that was replaced meanwhile', async () => {
    const shell = aShell();
    shell.put('etl', workflowText());
    shell.put('first', runText());
    shell.leadership.leading = false;
    expect(await shell.round()).toMatchObject({ kind: 'failed' });
    shell.leadership.leading = true;
    shell.documents.documents.set('first', { source: aConfigMap({ name: 'first', uid: 'uid-first' }), file: 'first', objectName: 'first', label: undefined, data: { 'spec.yaml': runText('suspend: true') } });
    expect(await shell.round()).toMatchObject({ kind: 'failed' });
    expect(shell.store.created).toEqual([]);
  });

  it('waits for records to be read, and says why they cannot be', async () => {
    const shell = aShell();
    shell.put('first', runText());
    shell.records.synced = false;
    expect(await shell.round()).toEqual({ kind: 'done', again: 250 });
    shell.records.problem = { reason: 'Forbidden', message: 'not allowed' };
    expect(await shell.round()).toEqual({ kind: 'done', again: 10_000 });
    expect(states(shell)).toEqual(['Blocked']);
  });

  it('tells why its record was refused, and tries again', async () => {
    const shell = aShell();
    shell.put('etl', workflowText());
    shell.put('first', runText());
    shell.store.answers = { create: [{ kind: 'quota', message: 'exceeded quota' }] };
    expect(await shell.round()).toEqual({ kind: 'done', again: 0 });
    expect(await shell.round()).toEqual({ kind: 'done', again: 1000 });
    expect(states(shell)).toEqual(['Blocked']);
    await shell.clock.advance(1000);
    await shell.round();
    expect(shell.store.created).toHaveLength(2);
  });

  it('writes what it says about its run on the record', async () => {
    const shell = aShell();
    shell.put('etl', workflowText());
    shell.put('first', runText());
    await shell.round();
    shell.put('first', runText('cancel: enough', 'approvals: {a: rejected}'));
    await shell.round();
    expect(shell.store.writes).toMatchObject([{ cancel: 'enough', approvals: 'a=rejected' }]);
  });
});

describe('what wakes a Run', () => {
  it('is a change of what it waits for, and nothing else of it', async () => {
    const shell = aShell();
    shell.put('first', runText());
    await shell.round();
    shell.targets.targetChanged(workflowKey('etl'));
    shell.targets.targetChanged(workflowKey('other'));
    expect(shell.woken).toEqual([]);
    shell.put('etl', workflowText());
    shell.targets.targetChanged(workflowKey('etl'));
    expect(shell.woken).toEqual(['spec/request/first']);
    await shell.round();
    await shell.round();
    shell.put('etl', workflowText('suspend: true'));
    shell.targets.targetChanged(workflowKey('etl'));
    expect(shell.woken).toHaveLength(2);
    const name = shell.store.created[0]?.name ?? '';
    shell.store.edit(name, { record: { phase: 'Running' } });
    await shell.round();
    shell.put('etl', workflowText());
    shell.targets.targetChanged(workflowKey('etl'));
    expect(shell.woken).toHaveLength(2);
  });

  it('is its record, also when that is gone', async () => {
    const shell = aShell();
    shell.put('etl', workflowText());
    shell.put('first', runText());
    await shell.round();
    const name = shell.store.created[0]?.name ?? '';
    shell.rounds.recordChanged(name, shell.records.get(name));
    shell.store.held.clear();
    shell.rounds.recordChanged(name, undefined);
    shell.rounds.recordChanged('another', undefined);
    expect(shell.woken).toEqual(['spec/request/first', 'spec/request/first']);
  });

  it('and when it goes, retention has to look', async () => {
    const shell = aShell();
    shell.put('etl', workflowText());
    shell.put('first', runText());
    await shell.round();
    shell.put('first', undefined);
    await shell.round();
    expect(shell.woken).toEqual(['spec/workflow/etl']);
  });
});

describe('the Run of a record', () => {
  const record = (request: object) => ({ request: { workflow: 'etl', trigger: 'request' as const, ...request } });

  it('is known by the UID of its ConfigMap, whatever its text is now', () => {
    const { specs, put } = aShell();
    put('first', runText());
    const of = record({ run: 'first', source: 'uid-first', specHash: 'x' });
    expect(keyOfRequest(specs, of)).toEqual(key);
    put('first', runText().replace('name: first', 'name: second'));
    expect(keyOfRequest(specs, of)).toEqual(requestKey('second'));
    put('first', undefined);
    expect([keyOfRequest(specs, of), keyOfRequest(specs, record({})), keyOfRequest(specs, { request: undefined })]).toEqual([undefined, undefined, undefined]);
  });

  it('of a file by its path and its text; while a file cannot be read it may be any', async () => {
    const shell = aShell();
    const { specs, put, store } = shell;
    const source = aFile({ path: 'runs/first.yaml' });
    put('etl', workflowText());
    put('runs/first.yaml', runText(), source);
    await shell.round();
    const [made] = store.created;
    expect(made?.request).toMatchObject({ run: 'first', source: 'runs/first.yaml' });
    expect(keyOfRequest(specs, { request: made?.request })).toEqual(key);
    await shell.round();
    put('runs/first.yaml', runText('parameters: {}'), source);
    expect(keyOfRequest(specs, { request: made?.request })).toBeUndefined();
    await shell.round();
    expect(new Set(store.created.map(({ name }) => name)).size).toBe(2);
    put('broken.yaml', 'kind: [', aFile({ path: 'broken.yaml' }));
    expect(keyOfRequest(specs, { request: made?.request })).toEqual(key);
  });
});

describe('records whose Run is not in view', () => {
  const asking = (changes: Partial<ObservedRecord> = {}): ObservedRecord => aRecord({ uid: 'uid-of-record', resourceVersion: '100', request: { workflow: 'etl', trigger: 'request', run: 'first', source: 'uid-first', specHash: 'x' }, ...changes });

  it('have lost it where the view is at least as new as they are', () => {
    const { specs } = aShell();
    expect(askedRecords(specs, [asking()])).toEqual({ asked: new Set(), unsure: false });
  });

  it('may have one that is to come where the view is older', () => {
    const { specs, documents } = aShell();
    documents.unseen = '100';
    expect(askedRecords(specs, [asking(), asking({ uid: 'seen', resourceVersion: '99' })])).toEqual({ asked: new Set(['uid-of-record']), unsure: true });
  });

  it('have one that was seen and not taken in yet', () => {
    const { specs, documents, put } = aShell();
    put('first', runText());
    const document = documents.documents.get('first');
    put('first', undefined);
    expect(askedRecords(specs, [asking()]).unsure).toBe(false);
    if (document) documents.documents.set('first', document);
    expect(askedRecords(specs, [asking()])).toEqual({ asked: new Set(['uid-of-record']), unsure: true });
    specs.take('first');
    expect(askedRecords(specs, [asking()])).toEqual({ asked: new Set(['uid-of-record']), unsure: false });
  });

  it('need none where nobody asked for them in git', () => {
    const { specs, documents } = aShell();
    documents.unseen = '100';
    expect(askedRecords(specs, [aRecord({ resourceVersion: '100' }), aRecord({ request: undefined })])).toEqual({ asked: new Set(), unsure: false });
  });
});
