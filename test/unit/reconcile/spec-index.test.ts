import { describe, expect, it } from 'vitest';
import type { ParsedSpec } from '../../../src/spec/parsed.ts';
import type { SpecKey } from '../../../src/plan/observed.ts';
import type { SpecDocument } from '../../../src/reconcile/ports.ts';
import { identityOf, SpecIndex } from '../../../src/reconcile/spec-index.ts';
import { aClaim, aConfigMap, aFile, aProblem, aQueueSpec } from '../../support/builders.ts';
import { FakeSpecs } from '../../support/fakes.ts';
import { aJobStep, aWorkflowOf } from '../../support/steps.ts';

const queue = (name: string): SpecKey => ({ kind: 'queue', name });
const unknown = (name: string): SpecKey => ({ kind: 'unknown', name });

/** The text of a document is its logical name; "throw", "broken" (errors), "unreadable" and "kindless" are what they say. */
function anIndex() {
  const specs = new FakeSpecs();
  const parsed: string[] = [];
  const index = new SpecIndex(specs, (input): ParsedSpec => {
    const text = input.data['spec.yaml'] ?? '';
    parsed.push(text);
    if (text === 'throw') throw new Error('the parser broke');
    if (text === 'unreadable') return { kind: undefined, name: input.objectName, hash: undefined, spec: undefined, problems: [aProblem()] };
    if (text === 'kindless') return { kind: undefined, name: input.objectName, hash: 'hash-x', spec: undefined, problems: [aProblem()] };
    if (text.startsWith('workflow ')) return { kind: 'Workflow', name: text.slice(9), hash: `hash ${text}`, spec: aWorkflowOf(aJobStep()), problems: [] };
    return { kind: 'Queue', name: text, hash: `hash ${text}`, spec: aQueueSpec({ name: text }), problems: [] };
  });
  const put = (id: string, text: string, source: SpecDocument['source'] = aConfigMap({ name: id, uid: `uid-${id}` })): void => {
    specs.documents.set(id, { source, file: `configmap/${id}`, objectName: id, label: 'queue', data: { 'spec.yaml': text } });
  };
  const names = (key: SpecKey): string[] => index.claims(key).map(({ parsed: { name } }) => name);
  return { specs, index, put, parsed, names };
}

describe('documents and the names that they define', () => {
  it('a document that nobody knows concerns nobody', () => {
    expect(anIndex().index.take('a')).toEqual({ keys: [], gone: undefined });
  });

  it('a new document makes a claim', () => {
    const { index, put, names } = anIndex();
    put('a', 'thumbnails');
    expect(index.take('a')).toEqual({ keys: [queue('thumbnails')], gone: undefined });
    expect(names(queue('thumbnails'))).toEqual(['thumbnails']);
  });

  it('a rename concerns the old name and the new', () => {
    const { index, put, names } = anIndex();
    put('a', 'old');
    index.take('a');
    put('a', 'new');
    expect(index.take('a')).toEqual({ keys: [queue('old'), queue('new')], gone: undefined });
    expect([names(queue('old')), names(queue('new'))]).toEqual([[], ['new']]);
  });

  it('a document that goes takes its claim along', () => {
    const { index, put, specs, names } = anIndex();
    put('a', 'thumbnails');
    index.take('a');
    const [claim] = index.claims(queue('thumbnails'));
    specs.documents.clear();
    expect(index.take('a')).toEqual({ keys: [queue('thumbnails')], gone: claim });
    expect(names(queue('thumbnails'))).toEqual([]);
  });

  it('a re-created object is another claim, and the former is gone', () => {
    const { index, put } = anIndex();
    put('a', 'thumbnails');
    index.take('a');
    const [before] = index.claims(queue('thumbnails'));
    put('a', 'thumbnails', aConfigMap({ uid: 'uid-2' }));
    expect(index.take('a')).toEqual({ keys: [queue('thumbnails')], gone: before });
    expect(index.claims(queue('thumbnails')).map(identityOf)).toEqual(['uid-2']);
  });

  it('two documents may claim one name', () => {
    const { index, put, specs, names } = anIndex();
    for (const id of ['a', 'b']) {
      put(id, 'thumbnails');
      index.take(id);
    }
    expect(names(queue('thumbnails'))).toHaveLength(2);
    specs.documents.delete('a');
    index.take('a');
    expect(names(queue('thumbnails'))).toHaveLength(1);
  });

  it('a name that is no label value is keyed by one', () => {
    const { index, put } = anIndex();
    put('a', 'Grüße');
    const [key] = index.take('a').keys;
    expect(key?.name).toMatch(/^[A-Za-z0-9._-]{1,63}$/);
    expect(index.claims(key!)).toHaveLength(1);
  });

  it('a document without a kind is kept apart', () => {
    const { index, put } = anIndex();
    put('a', 'kindless');
    expect(index.take('a').keys).toEqual([unknown('a')]);
  });
});

describe('a text that has gone bad', () => {
  it('still belongs to the spec that it was, so that its Jobs are not taken for those of a deleted one', () => {
    const { index, put, names } = anIndex();
    put('a', 'thumbnails');
    index.take('a');
    put('a', 'unreadable');
    expect(index.take('a')).toEqual({ keys: [queue('thumbnails')], gone: undefined });
    expect(names(queue('thumbnails'))).toEqual(['a']);
    put('a', 'other');
    expect(index.take('a').keys).toEqual([queue('thumbnails'), queue('other')]);
  });

  it('a parser that throws leaves the claim as it was', () => {
    const { index, put, names } = anIndex();
    put('a', 'thumbnails');
    index.take('a');
    put('a', 'throw');
    expect(() => index.take('a')).toThrow('the parser broke');
    expect(names(queue('thumbnails'))).toEqual(['thumbnails']);
    put('a', 'other');
    expect(index.take('a').keys).toEqual([queue('thumbnails'), queue('other')]);
  });
});

describe('parsing', () => {
  it('unchanged text is not parsed again: a status write of our own is no news', () => {
    const { index, put, parsed } = anIndex();
    put('a', 'thumbnails');
    index.take('a');
    put('a', 'thumbnails', aConfigMap({ name: 'a', uid: 'uid-a', writtenStatus: '{}', writtenState: 'Idle' }));
    index.take('a');
    expect(parsed).toEqual(['thumbnails']);
    expect(index.claims(queue('thumbnails'))[0]?.source).toMatchObject({ writtenState: 'Idle' });
  });

  it('another file beside the spec is news', () => {
    const { index, put, parsed, specs } = anIndex();
    put('a', 'thumbnails');
    index.take('a');
    const document = specs.documents.get('a')!;
    specs.documents.set('a', { ...document, data: { ...document.data, 'extract.yaml': 'x' } });
    index.take('a');
    expect(parsed).toHaveLength(2);
  });
});

it('claims are told apart by UID or by path', () => {
  expect([aClaim(), aClaim(aQueueSpec(), aFile())].map(identityOf)).toEqual(['cm-1', 'specs/thumbnails.yaml']);
});

describe('files that do not even tell their kind', () => {
  it('are known until they can be read or are gone: a spec that seems to be missing may be one of them', () => {
    const { index, specs, put } = anIndex();
    expect(index.hasUnreadFiles).toBe(false);
    put('a.yaml', 'kindless', aFile());
    index.take('a.yaml');
    expect(index.hasUnreadFiles).toBe(true);
    put('a.yaml', 'thumbnails', aFile());
    index.take('a.yaml');
    expect(index.hasUnreadFiles).toBe(false);
    put('b', 'kindless');
    index.take('b');
    expect(index.hasUnreadFiles).toBe(false);
    expect(specs.ids()).toContain('b');
  });
});

describe('what a ConfigMap defines now', () => {
  it('is found by its UID, whatever its text has become', () => {
    const { index, put, specs } = anIndex();
    put('a', 'etl');
    put('b', 'file', aFile({ path: 'b.yaml' }));
    for (const id of ['a', 'b']) index.take(id);
    expect([index.keyOfSource('uid-a'), index.keyOfSource('b.yaml')]).toEqual([queue('etl'), undefined]);
    put('a', 'unreadable');
    index.take('a');
    expect(index.keyOfSource('uid-a')).toEqual(queue('etl'));
    put('a', 'other', aConfigMap({ name: 'a', uid: 'uid-again' }));
    index.take('a');
    expect([index.keyOfSource('uid-a'), index.keyOfSource('uid-again')]).toEqual([undefined, queue('other')]);
    specs.documents.clear();
    index.take('a');
    expect(index.keyOfSource('uid-again')).toBeUndefined();
  });
});

describe('workflows', () => {
  const etl: SpecKey = { kind: 'workflow', name: 'etl' };

  it('have keys of their own: a queue of the same name is another spec', () => {
    const { index, put, names } = anIndex();
    put('a', 'workflow etl');
    put('b', 'etl');
    expect([index.take('a').keys, index.take('b').keys]).toEqual([[etl], [queue('etl')]]);
    expect([names(etl), names(queue('etl'))]).toEqual([['etl'], ['etl']]);
  });

  it('a queue that becomes one concerns both', () => {
    const { index, put } = anIndex();
    put('a', 'etl');
    index.take('a');
    put('a', 'workflow etl');
    expect(index.take('a').keys).toEqual([queue('etl'), etl]);
  });
});

describe('the data behind a claim', () => {
  it('is what was parsed, and nothing where it is something else by now', () => {
    const { index, put, specs } = anIndex();
    put('a', 'workflow etl');
    index.take('a');
    const [claim] = index.claims({ kind: 'workflow', name: 'etl' });
    if (!claim) throw new Error('no claim');
    expect(index.data(claim)).toEqual({ 'spec.yaml': 'workflow etl' });
    // A status write of our own changes nothing of it.
    put('a', 'workflow etl', aConfigMap({ name: 'a', uid: 'uid-a', writtenState: 'Idle' }));
    expect(index.data(claim)).toEqual({ 'spec.yaml': 'workflow etl' });
    put('a', 'workflow other');
    expect(index.data(claim)).toBeUndefined();
    specs.documents.clear();
    expect(index.data(claim)).toBeUndefined();
    expect(index.data(aClaim())).toBeUndefined();
  });
});

describe('a claim that is looked at live', () => {
  const document = (changes: Partial<SpecDocument> = {}): SpecDocument => ({ source: aConfigMap({ name: 'a', uid: 'uid-a' }), file: 'configmap/a', objectName: 'a', label: 'queue', data: { 'spec.yaml': 'thumbnails' }, ...changes });
  it.each<[string, ReturnType<FakeSpecs['live']['get']>, unknown]>([
    ['is the same', { kind: 'found', value: document() }, { kind: 'same', source: document().source }],
    ['is the same with another status', { kind: 'found', value: document({ source: aConfigMap({ name: 'a', uid: 'uid-a', writtenStatus: '{}' }) }) }, { kind: 'same', source: aConfigMap({ name: 'a', uid: 'uid-a', writtenStatus: '{}' }) }],
    ['has another text', { kind: 'found', value: document({ data: { 'spec.yaml': 'other' } }) }, { kind: 'changed' }],
    ['stands in another ConfigMap of that name', { kind: 'found', value: document({ source: aConfigMap({ name: 'a', uid: 'uid-b' }) }) }, { kind: 'changed' }],
    ['is being deleted', { kind: 'found', value: document({ source: aConfigMap({ name: 'a', uid: 'uid-a', deleting: true }) }) }, { kind: 'changed' }],
    ['is gone', { kind: 'absent' }, { kind: 'changed' }],
    ['cannot be looked at', { kind: 'failed', message: 'socket hang up', forbidden: false }, { kind: 'unknown', message: 'socket hang up' }],
  ])('%s', async (_sentence, live, answer) => {
    const { index, put, specs } = anIndex();
    put('a', 'thumbnails');
    index.take('a');
    if (live) specs.live.set('a', live);
    const [claim] = index.claims(queue('thumbnails'));
    expect(await index.confirm(claim!)).toEqual(answer);
  });

  it('is another one once it has been read again', async () => {
    const { index, put } = anIndex();
    put('a', 'thumbnails');
    index.take('a');
    const [claim] = index.claims(queue('thumbnails'));
    put('a', 'thumbnails');
    index.take('a');
    expect(await index.confirm(claim!)).toEqual({ kind: 'changed' });
  });
});
