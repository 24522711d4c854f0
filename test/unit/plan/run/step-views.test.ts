import { describe, expect, it } from 'vitest';
import { stepViews, type StepView } from '../../../../src/plan/run/step-views.ts';
import type { RunState, StepState } from '../../../../src/plan/run/state.ts';
import { approval, aWorkflow } from '../../../support/run-builders.ts';

const at = 1_000_000;
const job = (more: object = {}): { job: string; at: number } => ({ job: 'etl-a-1', at, ...more });

const none: ReadonlyMap<string, number> = new Map();

function viewOf(state: StepState | undefined, { over = false, progress = none, isApproval = false }: { readonly over?: boolean; readonly progress?: ReadonlyMap<string, number>; readonly isApproval?: boolean } = {}): StepView {
  const spec = aWorkflow('a', isApproval ? { steps: { a: { work: approval } } } : {});
  const facts: RunState = { startedAt: at, steps: state ? { a: state } : {}, undo: {} };
  const [view] = stepViews(spec, { state: facts, over, progress });
  if (!view) throw new Error('no view');
  return view;
}

describe('how a step stands', () => {
  it.each<[string, StepState | undefined, string]>([
    ['nothing was decided about it', undefined, 'Waiting'],
    ['its Job was asked for', { attempts: [job()] }, 'Starting'],
    ['its Job is there', { attempts: [job({ seen: true })] }, 'Starting'],
    ['a container runs', { attempts: [job({ seen: true, ranAt: at })] }, 'Running'],
    ['an attempt failed and another will follow', { attempts: [job({ outcome: 'failed' })] }, 'Retrying'],
    ['another attempt starts', { attempts: [job({ outcome: 'failed' }), job()] }, 'Starting'],
    ['some items have ended, others have not begun', { items: [{ outcome: 'succeeded', attempts: [job({ outcome: 'succeeded' })] }, { attempts: [] }] }, 'Running'],
    ['no item has begun', { items: [{ attempts: [] }] }, 'Waiting'],
    ['one item runs', { items: [{ attempts: [job({ ranAt: at })] }, { attempts: [job()] }] }, 'Running'],
    ['it succeeded', { outcome: 'succeeded', attempts: [job()] }, 'Succeeded'],
    ['it did not start', { outcome: 'notStarted', attempts: [job()] }, 'NotStarted'],
  ])('%s', (_what, state, word) => {
    expect(viewOf(state).state).toBe(word);
  });

  it('an approval waits for somebody, and says for what', () => {
    expect(viewOf({ attempts: [{ job: 'a', at }] }, { isApproval: true })).toMatchObject({ state: 'Waiting', reason: 'WaitsForApproval', message: 'may it?', attempts: 0, object: undefined });
    expect(viewOf(undefined, { isApproval: true })).toMatchObject({ state: 'Waiting', reason: undefined, message: '' });
  });

  it('of a run that is over nothing waits any more', () => {
    expect([viewOf(undefined, { over: true }).state, viewOf({ attempts: [job()] }, { over: true }).state]).toEqual(['Unknown', 'Unknown']);
  });
});

describe('items', () => {
  const each = { count: 10 };
  it.each<[string, StepState, ReadonlyMap<string, number>, StepView['items']]>([
    ['of an Indexed Job are counted by the Job', { each, attempts: [job()] }, new Map([['etl-a-1', 7]]), { succeeded: 7, all: 10 }],
    ['are not known without it', { each, attempts: [job()] }, new Map(), { succeeded: undefined, all: 10 }],
    ['have all succeeded with the step', { each, outcome: 'succeeded', attempts: [job({ outcome: 'succeeded' })] }, new Map(), { succeeded: 10, all: 10 }],
    ['that failed are missing', { each, outcome: 'failed', attempts: [job({ outcome: 'failed', failedItems: [1, 4] })] }, new Map(), { succeeded: 8, all: 10 }],
    ['that are one Job each are counted by their outcomes', { each, items: [{ outcome: 'succeeded', attempts: [] }, { outcome: 'failed', attempts: [] }, { attempts: [] }] }, new Map(), { succeeded: 1, all: 3 }],
    ['are none of a plain step', { attempts: [job()] }, new Map(), undefined],
  ])('%s', (_what, state, progress, items) => {
    expect(viewOf(state, { progress }).items).toEqual(items);
  });

  it('tell of the first that failed', () => {
    const items = [{ outcome: 'succeeded' as const, attempts: [job()] }, { outcome: 'failed' as const, attempts: [job(), job({ outcome: 'failed', exitCode: 3, message: 'exit 3' })] }];
    expect(viewOf({ outcome: 'failed', at, items })).toMatchObject({ attempts: 2, exitCode: 3, message: 'item 1: exit 3', object: undefined });
  });
});

describe('what is said about it', () => {
  it('while it is tried again, why it is', () => {
    expect(viewOf({ attempts: [job({ outcome: 'failed', reason: 'OOMKilled', message: 'out of memory', exitCode: 137 }), job({ job: 'etl-a-2', ranAt: at })] }))
      .toMatchObject({ state: 'Running', attempts: 2, reason: 'OOMKilled', message: 'out of memory', exitCode: 137, object: 'etl-a-2' });
  });

  it('nothing of earlier attempts once it has succeeded', () => {
    expect(viewOf({ outcome: 'succeeded', at: at + 5, attempts: [job({ outcome: 'failed', reason: 'Error', exitCode: 1 }), job({ outcome: 'succeeded' })] }))
      .toMatchObject({ reason: undefined, message: '', exitCode: undefined, endedAt: at + 5 });
  });

  it('where it was carried over from', () => {
    expect(viewOf({ outcome: 'succeeded', at, from: 'etl-0' })).toMatchObject({ reason: 'CarriedOver', message: 'from run etl-0', startedAt: undefined, attempts: 0 });
  });

  it('what has an outcome without having begun has no times', () => {
    expect(viewOf({ outcome: 'omitted', at, reason: 'RunStopping', message: 'step "b" failed' })).toMatchObject({ reason: 'RunStopping', message: 'step "b" failed', startedAt: undefined, endedAt: undefined });
  });
});

it('steps come in the order of the text, then what was undone, then finally', () => {
  const spec = aWorkflow('-- one\na\n-- two\nb\n-- finally\ntidy');
  const state: RunState = { startedAt: at, steps: {}, undo: { a: { attempts: [job()] } } };
  expect(stepViews(spec, { state, over: false, progress: new Map() }).map(({ name, part, phase }) => [part, phase, name])).toEqual([
    ['steps', 'one', 'a'], ['steps', 'two', 'b'], ['undo', undefined, 'a'], ['finally', undefined, 'tidy'],
  ]);
});

it('what was undone comes in the order in which that happened: the last success first', () => {
  const spec = aWorkflow('a\nb < a\nc < b\nd');
  const undo = { a: { attempts: [job({ at: at + 3000 })] }, b: { attempts: [job({ at: at + 1000 })] }, c: { attempts: [job({ at: at + 1000 })] }, d: { outcome: 'errored', at: at + 2000 } } satisfies RunState['undo'];
  const views = stepViews(spec, { state: { startedAt: at, steps: {}, undo }, over: false, progress: new Map() });
  expect(views.filter(({ part }) => part === 'undo').map(({ name }) => name)).toEqual(['c', 'b', 'd', 'a']);
});

it('a step that is called like a function of every object has a state of its own only', () => {
  const spec = aWorkflow('constructor');
  expect(stepViews(spec, { state: { startedAt: at, steps: {}, undo: {} }, over: false, progress: new Map() })).toMatchObject([{ name: 'constructor', state: 'Waiting' }]);
});
