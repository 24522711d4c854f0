import { describe, expect, it } from 'vitest';
import type { CreateAction } from '../../../src/plan/action.ts';
import { drainJobName } from '../../../src/plan/drain-job.ts';
import { createDrainJob, resolveName } from '../../../src/reconcile/create.ts';
import { createNamed } from '../../../src/reconcile/create-named.ts';
import { CreateGate } from '../../../src/reconcile/create-gate.ts';
import { Memory } from '../../../src/reconcile/memory.ts';
import type { LiveJob, ReadResult, WriteResult } from '../../../src/reconcile/ports.ts';
import { objectAt } from '../../../src/lib/json.ts';
import { aJobManifest, laxPolicy, observed, ready, thumbnails } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { done, FakeCache, FakeJobs, refusal } from '../../support/fakes.ts';
import { planAt } from '../../support/planning.ts';

const action = planAt(observed({ depth: ready(3) })).actions[0] as CreateAction;
const name = drainJobName(action.blueprint, 1);

function setting() {
  const clock = new FakeClock();
  const cache = new FakeCache();
  const jobs = new FakeJobs();
  const memory = new Memory({ clock, cache });
  return { jobs, cache, memory, deps: { jobs, memory, policy: laxPolicy, gate: new CreateGate(clock) }, states: () => memory.reservations(thumbnails).map(({ jobName, state }) => [jobName, state]) };
}
const ours: LiveJob = { name, uid: 'uid-found', resourceVersion: '300', deleting: false, finished: false, labels: { 'app.kubernetes.io/managed-by': 'job-chief', 'job-chief/name': 'thumbnails', 'job-chief/kind': 'queue' } };
const found = (changes: Partial<LiveJob> = {}): ReadResult<LiveJob> => ({ kind: 'found', value: { ...ours, ...changes } });
const absent: ReadResult<LiveJob> = { kind: 'absent' };
const broken: ReadResult<LiveJob> = { kind: 'failed', message: 'timed out', forbidden: false };
const created = { kind: 'created', jobName: name, uid: 'uid-found' };
const unclear = { kind: 'later', message: `whether Job "${name}" exists is not known: timed out` };
const notMade = { kind: 'later', message: `Job "${name}" was not created` };
const foreign = found({ labels: {} });

describe('the last gate', () => {
  it('sends nothing that the policy denies, and keeps no name for it', async () => {
    const { deps, jobs, states } = setting();
    const policy = { ...laxPolicy, imagePrefixes: ['registry.example/allowed'] };
    expect(await createDrainJob({ ...deps, policy }, thumbnails, action)).toEqual({
      kind: 'refused',
      refusal: 'denied',
      message: 'spec.template.spec.containers[0].image: the image "ghcr.io/acme/thumbnailer" is not allowed, says podPolicy.imagePrefixes (use an image under registry.example/allowed, or ask the operator to allow it)',
    });
    expect(jobs.requests).toEqual(['live thumbnails']);
    expect(states()).toEqual([]);
  });

  it('lets pass what job-chief has added itself, and nothing that looks like it', async () => {
    const { deps } = setting();
    const policy = { ...laxPolicy, deniedSecrets: ['main-db'] };
    const mine = { name: 'job-chief-connection', secret: { secretName: 'main-db' } };
    const jobName = 'a';
    const manifest = aJobManifest({ name: jobName }, { volumes: [mine] });
    expect(await createNamed({ ...deps, policy }, thumbnails, { jobName, manifest, ours: [mine] })).toMatchObject({ kind: 'created' });
    expect(await createNamed({ ...deps, policy }, thumbnails, { jobName, manifest, ours: [{ ...mine }] })).toMatchObject({ kind: 'refused', refusal: 'denied' });
    expect(await createNamed({ ...deps, policy }, thumbnails, { jobName, manifest })).toMatchObject({ kind: 'refused', refusal: 'denied' });
  });
});

describe('what a create comes to', () => {
  const table: readonly (readonly [string, WriteResult, ReadResult<LiveJob>, object, 'created' | 'unknown' | 'none', boolean])[] = [
    ['a clean answer is believed', done('200', { uid: 'uid-found' }), absent, created, 'created', false],
    ['400 and 422 made nothing', refusal('refused', 'invalid'), absent, { kind: 'refused', refusal: 'refused', message: 'invalid' }, 'none', false],
    ['a full quota and no such Job: refused', refusal('quota', 'full'), absent, { kind: 'refused', refusal: 'quota', message: 'full' }, 'none', true],
    ['a full quota, and the name exists: it was ours', refusal('quota'), found(), created, 'created', true],
    ['a full quota, and nobody knows', refusal('quota'), broken, unclear, 'unknown', true],
    ['a missing right and no such Job: refused', refusal('forbidden', 'no'), absent, { kind: 'refused', refusal: 'forbidden', message: 'no' }, 'none', true],
    ['a missing right, and the name exists', refusal('forbidden'), found(), created, 'created', true],
    ['a lost answer, and the Job exists', refusal('unknown'), found(), created, 'created', true],
    ['a lost answer, and the Job does not exist', refusal('unknown'), absent, notMade, 'none', true],
    ['a lost answer, and nobody knows', refusal('unknown'), broken, unclear, 'unknown', true],
    ['a conflict, and the Job does not exist', refusal('conflict'), absent, notMade, 'none', true],
    ['409, and it is ours', { kind: 'exists' }, found(), created, 'created', true],
    ['409, and ours is being deleted', { kind: 'exists' }, found({ deleting: true }), { kind: 'blocked', message: `Job "${name}" is being deleted` }, 'none', true],
    ['409, and it belongs to somebody else', { kind: 'exists' }, foreign, { kind: 'refused', refusal: 'taken', message: `the name "${name}" is taken by a Job that is not ours` }, 'none', true],
    ['409, and ours has run already: the next list gives the next sequence', { kind: 'exists' }, found({ finished: true }), { kind: 'blocked', message: `Job "${name}" has run already` }, 'none', true],
    ['a lost answer, and the Job has already finished', refusal('unknown'), found({ finished: true }), created, 'created', true],
    ['409, and it has gone meanwhile', { kind: 'exists' }, absent, notMade, 'none', true],
    ['409, and nobody knows', { kind: 'exists' }, broken, unclear, 'unknown', true],
    ['an answer that makes no sense is no answer', { kind: 'gone' }, absent, notMade, 'none', true],
  ];
  it.each(table)('%s', async (_sentence, create, get, result, reserved, looked) => {
    const { jobs, deps, states } = setting();
    jobs.answers = { create, get };
    expect(await createDrainJob(deps, thumbnails, action)).toEqual(result);
    expect(states()).toEqual(reserved === 'none' ? [] : [[name, reserved]]);
    expect(jobs.requests).toEqual(['live thumbnails', `create ${name}`, ...(looked ? [`get ${name}`] : [])]);
  });

  it.each([
    ['another name', { 'job-chief/name': 'other' }],
    ['another kind', { 'job-chief/kind': 'workflow' }],
    ['another manager', { 'app.kubernetes.io/managed-by': 'helm' }],
  ])('a Job with %s in its labels is not ours', async (_what, labels) => {
    const { jobs, deps } = setting();
    jobs.answers = { create: { kind: 'exists' }, get: found({ labels: { ...ours.labels, ...labels } }) };
    expect(await createDrainJob(deps, thumbnails, action)).toMatchObject({ kind: 'refused', refusal: 'taken' });
  });

  it('a Job that was made has ended the refusals before it, and the cache must catch up with it', async () => {
    const { deps, memory, cache } = setting();
    memory.refused(thumbnails, { kind: 'quota', hash: 'hash-1', message: 'full' });
    await createDrainJob(deps, thumbnails, action);
    expect(memory.refusal(thumbnails)).toBeUndefined();
    expect(memory.caughtUp(thumbnails)).toBe(false);
    cache.seen = 200;
    expect(memory.caughtUp(thumbnails)).toBe(true);
    expect(memory.reservations(thumbnails)).toEqual([]);
  });
});

describe('the live look before a create', () => {
  it.each([
    ['a Job lives', { liveJobs: ['thumbnails-7'] }, 'thumbnails-7'],
    ['a pod lives', { livePods: ['pod-7'] }, 'pod-7'],
  ])('when %s that the cache does not show nothing is created', async (_sentence, view, taken) => {
    const { jobs, deps, states } = setting();
    jobs.view = { ...jobs.view, ...view };
    expect(await createDrainJob(deps, thumbnails, action)).toEqual({ kind: 'blocked', message: `"${taken}" is live and the cache does not show it yet` });
    expect(jobs.manifests).toEqual([]);
    expect(states()).toEqual([]);
  });

  it.each([
    ['failed', { kind: 'failed', message: 'timed out', forbidden: false }, { kind: 'later', message: 'timed out' }],
    ['was forbidden', { kind: 'failed', message: 'no', forbidden: true }, { kind: 'refused', refusal: 'forbidden', message: 'no' }],
    ['found no list', { kind: 'absent' }, { kind: 'later', message: 'the list of live Jobs is not available' }],
  ] as const)('that %s creates nothing', async (_sentence, live, result) => {
    const { jobs, deps, states } = setting();
    jobs.answers = { live };
    expect(await createDrainJob(deps, thumbnails, action)).toEqual(result);
    expect(jobs.manifests).toEqual([]);
    expect(states()).toEqual([]);
  });

  it('gives the next sequence', async () => {
    const { jobs, deps } = setting();
    jobs.view = { highestSequence: 41, liveJobs: [], livePods: [] };
    const seventh = drainJobName(action.blueprint, 42);
    expect(await createDrainJob(deps, thumbnails, action)).toMatchObject({ kind: 'created', jobName: seventh });
    expect(objectAt(objectAt(jobs.manifests[0], 'metadata'), 'labels')['job-chief/run']).toBe('42');
  });
});

describe('a name that got no clean answer', () => {
  it.each([
    ['exists', found(), created, [[name, 'created']]],
    ['does not exist', absent, notMade, []],
    ['is still not known', broken, unclear, [[name, 'unknown']]],
    ['is being deleted', found({ deleting: true }), { kind: 'blocked', message: `Job "${name}" is being deleted` }, []],
    ['belongs to somebody else', foreign, { kind: 'refused', refusal: 'taken', message: `the name "${name}" is taken by a Job that is not ours` }, []],
  ] as const)('and %s', async (_sentence, get, result, reserved) => {
    const { jobs, deps, memory, states } = setting();
    memory.reserve(thumbnails, name);
    jobs.answers = { get };
    expect(await resolveName(deps, thumbnails, name)).toEqual(result);
    expect(states()).toEqual(reserved);
  });
});
