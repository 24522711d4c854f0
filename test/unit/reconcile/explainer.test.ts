import { describe, expect, it } from 'vitest';
import type { ExplanationDemand } from '../../../src/plan/action.ts';
import { Explainer } from '../../../src/reconcile/explainer.ts';
import { seconds, thumbnails } from '../../support/builders.ts';
import { FakeClock, settle } from '../../support/fake-clock.ts';
import { FakeEventReader } from '../../support/fakes.ts';

const about = (...names: readonly string[]): ExplanationDemand[] => [{ kind: 'explanation', objects: names.map((name) => ({ kind: 'Pod', name, uid: `uid-${name}` })) }];

function anExplainer(texts: readonly string[] = ['FailedMount: no secret']) {
  const clock = new FakeClock();
  const events = new FakeEventReader();
  events.texts_ = texts;
  const changed: string[] = [];
  const explainer = new Explainer({ clock, events, changed: ({ name }) => changed.push(name) });
  return { clock, events, changed, explainer, ask: async (...names: readonly string[]) => {
    explainer.ask(thumbnails, names.length === 0 ? [] : about(...names));
    await settle();
  }, told: () => Object.fromEntries(explainer.explanations(thumbnails)) };
}

describe('explanations', () => {
  it('are the newest text of each object that the plan asks about', async () => {
    const { ask, told, changed, events } = anExplainer(['new', 'old']);
    await ask('a', 'b');
    expect(told()).toEqual({ 'uid-a': 'new', 'uid-b': 'new' });
    expect(events.asked).toEqual(['a', 'b']);
    expect(changed).toEqual(['thumbnails', 'thumbnails']);
  });

  it('start no round when there is nothing to tell', async () => {
    const { ask, told, changed } = anExplainer([]);
    await ask('a');
    expect(told()).toEqual({});
    expect(changed).toEqual([]);
  });

  it('are asked for again every thirty seconds, not sooner', async () => {
    const { ask, events, clock } = anExplainer();
    await ask('a');
    await clock.advance(seconds(29));
    await ask('a');
    expect(events.asked).toEqual(['a']);
    await clock.advance(seconds(1));
    await ask('a');
    expect(events.asked).toEqual(['a', 'a']);
  });

  it('of very many objects are a few in thirty seconds, those first that were not asked about before', async () => {
    const { ask, events, clock, told } = anExplainer();
    const all = Array.from({ length: 12 }, (_, index) => `p${index}`);
    await ask(...all);
    await ask(...all);
    expect(events.asked).toEqual(all.slice(0, 5));
    await clock.advance(seconds(29));
    await ask(...all);
    expect(events.asked).toHaveLength(5);
    await clock.advance(seconds(1));
    await ask(...all);
    expect(events.asked).toEqual(all.slice(0, 10));
    expect(Object.keys(told())).toHaveLength(10);
    await clock.advance(seconds(30));
    await ask(...all);
    expect(events.asked.slice(10)).toEqual(['p10', 'p11', 'p0', 'p1', 'p2']);
  });

  it('are asked for again after thirty seconds also when the answer took its time', async () => {
    const { explainer, events, clock } = anExplainer();
    const slow = new Promise<readonly string[]>((resolve) => clock.timer(seconds(2), () => { resolve(['slow']); }));
    const quick = events.texts.bind(events);
    events.texts = (object) => (void quick(object), slow);
    explainer.ask(thumbnails, about('a'));
    await clock.advance(seconds(30));
    explainer.ask(thumbnails, about('a'));
    await settle();
    expect(events.asked).toEqual(['a', 'a']);
  });

  it('stay when the next answer is empty or the same, without another round', async () => {
    const { ask, events, clock, told, changed } = anExplainer();
    await ask('a');
    for (const texts of [[], ['FailedMount: no secret']]) {
      events.texts_ = texts;
      await clock.advance(seconds(30));
      await ask('a');
    }
    expect(told()).toEqual({ 'uid-a': 'FailedMount: no secret' });
    expect(changed).toEqual(['thumbnails']);
  });

  it('are forgotten when nobody asks any more, also while they are fetched', async () => {
    const { explainer, ask, told, changed } = anExplainer();
    explainer.ask(thumbnails, about('a'));
    await ask();
    expect(told()).toEqual({});
    expect(changed).toEqual([]);
  });
});
