import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/lib/json.ts';
import type { VerdictDemand } from '../../../src/plan/action.ts';
import type { WriteResult } from '../../../src/reconcile/ports.ts';
import { TemplateChecker } from '../../../src/reconcile/template-checker.ts';
import { aJobManifest, laxPolicy, thumbnails } from '../../support/builders.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { done, FakeJobs, promised, refusal } from '../../support/fakes.ts';

function aChecker(policy = laxPolicy) {
  const clock = new FakeClock();
  const jobs = new FakeJobs();
  const changed: string[] = [];
  const checker = new TemplateChecker({ clock, jobs, policy, changed: ({ name }) => changed.push(name) });
  const demand = (hash = 'hash-1', notBefore = 0): VerdictDemand => ({ kind: 'verdict', hash, manifests: [{ what: '', manifest: aJobManifest({ name: hash }) }], notBefore });
  const ask = async (answer: WriteResult, hash?: string): Promise<void> => {
    jobs.answers = { dryRun: answer };
    checker.ask(thumbnails, demand(hash));
    await settle();
  };
  return { clock, jobs, checker, changed, demand, ask };
}

describe('what the dry run says', () => {
  it.each([
    ['accepted: passed, with the warnings', done('', { warnings: ['old field'] }), { kind: 'passed', warnings: ['old field'] }],
    ['a full quota: passed, it says nothing about the template', refusal('quota'), { kind: 'passed', warnings: [] }],
    ['refused', refusal('refused', 'no'), { kind: 'refused', message: 'no' }],
    ['forbidden', refusal('forbidden', 'no'), { kind: 'forbidden', message: 'no' }],
    ['a conflict: not known', refusal('conflict', 'no'), { kind: 'unknown', message: 'no' }],
    ['no clean answer: not known', refusal('unknown', 'no'), { kind: 'unknown', message: 'no' }],
    ['an existing name, which cannot be: not known', { kind: 'exists' }, { kind: 'unknown', message: 'unexpected answer: exists' }],
    ['gone, which cannot be: not known', { kind: 'gone' }, { kind: 'unknown', message: 'unexpected answer: gone' }],
  ] as const)('%s', async (_sentence, answer, result) => {
    const { checker, ask, clock, changed } = aChecker();
    await ask(answer);
    expect(checker.verdict(thumbnails)).toEqual({ hash: 'hash-1', at: clock.now(), count: 1, result });
    expect(changed).toEqual(['thumbnails']);
  });

  it('the same kind of answer in a row is counted, another begins anew', async () => {
    const { checker, ask } = aChecker();
    const counts: unknown[] = [];
    for (const answer of [refusal('unknown'), refusal('unknown'), refusal('refused'), refusal('refused')]) {
      await ask(answer);
      counts.push(checker.verdict(thumbnails)?.count);
    }
    await ask(refusal('refused'), 'hash-2');
    expect([...counts, checker.verdict(thumbnails)?.count]).toEqual([1, 2, 1, 2, 1]);
  });
});

describe('what the policy says', () => {
  const policy = { ...laxPolicy, imagePrefixes: ['ghcr.io/acme'] };
  const withImage = (image: string): JsonObject => aJobManifest({ name: 'a' }, { containers: [{ name: 'main', image }] });

  it('comes first: the API server is not asked about what is denied', async () => {
    const { checker, jobs, clock } = aChecker(policy);
    checker.ask(thumbnails, { kind: 'verdict', hash: 'hash-1', manifests: [{ what: 'step "load"', manifest: withImage('ghcr.io/acme/app') }, { what: 'step "mail"', manifest: withImage('alpine') }], notBefore: 0 });
    await settle();
    expect(jobs.requests).toEqual([]);
    expect(checker.verdict(thumbnails)).toMatchObject({ hash: 'hash-1', at: clock.now(), result: { kind: 'denied' } });
    expect(checker.verdict(thumbnails)?.result).toHaveProperty('message', expect.stringMatching(/^step "mail": spec\.template\.spec\.containers\[0]\.image: the image "docker\.io\/library\/alpine" is not allowed, says podPolicy\.imagePrefixes/));
  });

  it('is not about samples: what a reference will be is judged when it is known', async () => {
    const { checker, jobs } = aChecker(policy);
    checker.ask(thumbnails, { kind: 'verdict', hash: 'hash-1', manifests: [{ what: '', manifest: withImage('1'), open: withImage('$(params.image)') }], notBefore: 0 });
    await settle();
    expect(jobs.requests).toEqual(['dry run']);
  });

  it('is about everything beside an open reference', async () => {
    const { checker, jobs } = aChecker(policy);
    const open = aJobManifest({}, { hostNetwork: true, containers: [{ name: 'main', image: '$(params.image)' }] });
    checker.ask(thumbnails, { kind: 'verdict', hash: 'hash-1', manifests: [{ what: '', manifest: withImage('1'), open }], notBefore: 0 });
    await settle();
    expect(checker.verdict(thumbnails)?.result.kind).toBe('denied');
    expect(jobs.requests).toEqual([]);
  });

  it("is not about job-chief's own additions", async () => {
    const { checker, jobs } = aChecker({ ...laxPolicy, deniedSecrets: ['main-db'] });
    const entry = { name: 'X', valueFrom: { secretKeyRef: { name: 'main-db', key: 'k' } } };
    const manifest = aJobManifest({}, { containers: [{ name: 'main', image: 'app', env: [entry] }] });
    checker.ask(thumbnails, { kind: 'verdict', hash: 'hash-1', manifests: [{ what: '', manifest, ours: [entry] }], notBefore: 0 });
    await settle();
    expect(jobs.requests).toEqual(['dry run']);
  });
});

describe('asking', () => {
  it('one question is under way only once', async () => {
    const { checker, jobs, demand } = aChecker();
    for (let times = 0; times < 3; times += 1) checker.ask(thumbnails, demand());
    await settle();
    expect(jobs.requests).toEqual(['dry run']);
  });

  it('nothing is asked before its time, or without a demand', async () => {
    const { checker, jobs, demand, clock } = aChecker();
    checker.ask(thumbnails, demand('hash-1', clock.now() + 1));
    checker.ask(thumbnails, undefined);
    await settle();
    expect(jobs.requests).toEqual([]);
  });

  it.each([
    ['the spec changed', 'hash-2', 2],
    ['the spec changed and changed back', 'hash-1', 3],
  ])('an answer is dropped when %s meanwhile', async (_sentence, last, requests) => {
    const { checker, jobs, demand, changed } = aChecker();
    const first = promised<WriteResult>();
    jobs.answers = { dryRun: first.promise };
    checker.ask(thumbnails, demand('hash-1'));
    await settle();
    jobs.answers = { dryRun: done() };
    checker.ask(thumbnails, demand('hash-2'));
    if (last === 'hash-1') checker.ask(thumbnails, demand('hash-1'));
    await settle();
    first.keep(refusal('refused'));
    await settle();
    expect(checker.verdict(thumbnails)).toMatchObject({ hash: last, result: { kind: 'passed' } });
    expect(changed).toEqual(['thumbnails']);
    expect(jobs.requests).toHaveLength(requests);
  });

  it('an answer about a spec that is gone is dropped', async () => {
    const { checker, demand, changed } = aChecker();
    checker.ask(thumbnails, demand());
    checker.forget(thumbnails);
    await settle();
    expect(checker.verdict(thumbnails)).toBeUndefined();
    expect(changed).toEqual([]);
  });
});
