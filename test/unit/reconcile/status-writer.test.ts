import { describe, expect, it } from 'vitest';
import type { Status } from '../../../src/plan/action.ts';
import { statusText } from '../../../src/plan/status-text.ts';
import type { ConfigMapSource } from '../../../src/plan/observed.ts';
import { readStatus, StatusWriter } from '../../../src/reconcile/status-writer.ts';
import { aConfigMap, minutes, seconds } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { done, FakeStatusSink, refusal } from '../../support/fakes.ts';

function aStatus(changes: Partial<Status> & { readonly accepted?: 'True' | 'False' | 'Unknown' } = {}): Status {
  const { accepted = 'True', ...rest } = changes;
  return { state: 'Idle', reason: 'QueueEmpty', message: '', health: 'Healthy', observedHash: 'hash-1', conditions: [{ type: 'Accepted', status: accepted, reason: 'SpecAccepted', message: '' }], lastRun: undefined, liveJobs: 0, oldJobs: 0, ...rest };
}
const idle = aStatus();
const running = aStatus({ state: 'Running', reason: 'JobRunning' });

/** A writer, and a ConfigMap that shows what was written once `shown` is called. */
function aWriter() {
  const clock = new FakeClock();
  const sink = new FakeStatusSink();
  const forbidden: string[] = [];
  const creating = { now: false };
  const writer = new StatusWriter({ clock, sink, busy: () => creating.now, forbidden: (message) => forbidden.push(message) });
  let source: ConfigMapSource = aConfigMap();
  return {
    clock,
    sink,
    forbidden,
    creating,
    writer,
    write: (status: Status) => writer.write(source, status),
    shows: (annotation: string | undefined, state: string | undefined) => void (source = aConfigMap({ writtenStatus: annotation, writtenState: state })),
    shown: () => {
      const last = sink.written.at(-1);
      source = aConfigMap({ writtenStatus: last?.annotation, writtenState: last?.state });
    },
    states: () => sink.written.map(({ state }) => state),
  };
}

describe('a status is written', () => {
  it('at once where none stands', async () => {
    const { write, sink } = aWriter();
    expect(await write(idle)).toBeUndefined();
    expect(sink.written).toEqual([{ name: 'thumbnails', annotation: statusText(idle), state: 'Idle', health: 'Healthy' }]);
  });

  it('not again while it stands', async () => {
    const { write, shown, states, clock } = aWriter();
    await write(idle);
    shown();
    await clock.advance(minutes(9));
    expect(await write(idle)).toBeUndefined();
    expect(states()).toEqual(['Idle']);
  });

  it('at most once in ten seconds, and the caller is told when to come back', async () => {
    const { write, shown, states, clock } = aWriter();
    await write(idle);
    shown();
    await clock.advance(seconds(4));
    expect(await write(running)).toBe(seconds(6));
    await clock.advance(seconds(6));
    expect(await write(running)).toBeUndefined();
    expect(states()).toEqual(['Idle', 'Running']);
  });

  it('not again while the cache has not shown it', async () => {
    const { write, states, clock } = aWriter();
    await write(idle);
    await clock.advance(seconds(3));
    expect(await write(idle)).toBe(seconds(7));
    expect(states()).toEqual(['Idle']);
  });

  it('again when the cache never shows it', async () => {
    const { write, states, clock } = aWriter();
    await write(idle);
    await clock.advance(seconds(10));
    expect(await write(idle)).toBeUndefined();
    expect(states()).toEqual(['Idle', 'Idle']);
  });

  it.each([
    ['another revision', aStatus({ observedHash: 'hash-2', accepted: 'Unknown', state: 'Checking' })],
    ['a rejection', aStatus({ accepted: 'False', state: 'Rejected' })],
  ])('at once for %s', async (_sentence, status) => {
    const { write, shown, states } = aWriter();
    await write(idle);
    shown();
    expect(await write(status)).toBeUndefined();
    expect(states()).toHaveLength(2);
  });

  it('not at once for a check whose outcome is open', async () => {
    const { write, shown } = aWriter();
    await write(idle);
    shown();
    expect(await write(aStatus({ accepted: 'Unknown', state: 'Checking' }))).toBe(seconds(10));
  });
});

describe('after a restart', () => {
  it('what stands there is not rewritten in passing', async () => {
    const { write, shows, clock, states } = aWriter();
    shows(statusText(idle), 'Idle');
    expect(await write(running)).toBe(seconds(10));
    await clock.advance(seconds(5));
    expect(await write(idle)).toBeUndefined();
    expect(states()).toEqual([]);
  });

  it('what still differs after ten seconds is written', async () => {
    const { write, shows, clock, states } = aWriter();
    shows(statusText(idle), 'Idle');
    await write(running);
    await clock.advance(seconds(10));
    expect(await write(running)).toBeUndefined();
    expect(states()).toEqual(['Running']);
  });

  it('garbage that somebody wrote is replaced at once', async () => {
    const { write, shows, states } = aWriter();
    shows('{"conditions":[null,7]}', 'Idle');
    expect(await write(idle)).toBeUndefined();
    expect(states()).toEqual(['Idle']);
  });
});

describe('when somebody wipes it', () => {
  it.each([
    ['the annotation', undefined, 'Idle'],
    ['the label', statusText(idle), undefined],
    ['both', undefined, undefined],
  ])('%s is written again, ten seconds after the last write', async (_what, annotation, state) => {
    const { write, shown, shows, clock, states } = aWriter();
    await write(idle);
    shown();
    await write(idle);
    shows(annotation, state);
    await clock.advance(seconds(4));
    expect(await write(idle)).toBe(seconds(6));
    await clock.advance(seconds(6));
    expect(await write(idle)).toBeUndefined();
    expect(states()).toEqual(['Idle', 'Idle']);
  });

  it('a label that was wiped before a restart is written again', async () => {
    const { write, shows, clock, states } = aWriter();
    shows(statusText(idle), undefined);
    expect(await write(idle)).toBe(seconds(10));
    await clock.advance(seconds(10));
    expect(await write(idle)).toBeUndefined();
    expect(states()).toEqual(['Idle']);
  });

  it('a caller is never sent back at once: that would be a round without end', async () => {
    const { write, shown, shows, clock } = aWriter();
    await write(idle);
    shown();
    await write(idle);
    shows(statusText(idle), 'Tampered');
    await clock.advance(minutes(1));
    expect((await write(idle)) ?? Infinity).toBeGreaterThan(0);
  });
});

describe('when it cannot be written', () => {
  it('a missing right switches writing off for five minutes, says so once, then tries again', async () => {
    const { write, sink, clock, forbidden, states } = aWriter();
    sink.answer = refusal('forbidden', 'cannot patch configmaps');
    expect(await write(idle)).toBeUndefined();
    expect(await write(running)).toBe(minutes(5));
    expect(forbidden).toEqual(['cannot patch configmaps']);
    await clock.advance(minutes(5));
    sink.answer = done();
    expect(await write(running)).toBeUndefined();
    expect(states()).toEqual(['Idle', 'Running']);
  });

  it.each(['conflict', 'refused', 'unknown', 'quota'] as const)('%s is tried again after ten seconds', async (kind) => {
    const { write, sink, states, clock } = aWriter();
    sink.answer = refusal(kind);
    expect(await write(idle)).toBe(seconds(10));
    await clock.advance(seconds(10));
    sink.answer = done();
    expect(await write(idle)).toBeUndefined();
    expect(states()).toEqual(['Idle', 'Idle']);
  });

  it('a ConfigMap that is gone needs no status', async () => {
    const { write, sink } = aWriter();
    sink.answer = { kind: 'gone' };
    expect(await write(idle)).toBeUndefined();
  });

  it('a ConfigMap that is being deleted gets none', async () => {
    const { writer, sink } = aWriter();
    expect(await writer.write(aConfigMap({ deleting: true }), idle)).toBeUndefined();
    expect(sink.written).toEqual([]);
  });

  it('without a sink nothing is written', async () => {
    const writer = new StatusWriter({ clock: new FakeClock(), sink: undefined, busy: () => false, forbidden: () => undefined });
    expect(await writer.write(aConfigMap(), idle)).toBeUndefined();
  });
});

describe('while Jobs are being created', () => {
  it('a change that can wait gives way, for five seconds at most', async () => {
    const { write, creating, clock, shown, states } = aWriter();
    await write(idle);
    shown();
    creating.now = true;
    await clock.advance(seconds(10));
    expect(await write(running)).toBe(seconds(2));
    await clock.advance(seconds(4));
    expect(await write(running)).toBe(seconds(2));
    await clock.advance(seconds(1));
    expect(await write(running)).toBeUndefined();
    expect(states()).toEqual(['Idle', 'Running']);
  });

  it('it is written as soon as none is under way', async () => {
    const { write, creating, clock, shown, states } = aWriter();
    await write(idle);
    shown();
    creating.now = true;
    await clock.advance(seconds(10));
    await write(running);
    creating.now = false;
    await write(running);
    expect(states()).toEqual(['Idle', 'Running']);
  });

  it('the end of a run is written at once', async () => {
    const { write, shown, states } = aWriter();
    await write(running);
    shown();
    await write(aStatus({ state: 'Succeeded' }));
    expect(states()).toEqual(['Running', 'Succeeded']);
  });

  it('a first status and another verdict are written all the same', async () => {
    const { write, creating, shown, states } = aWriter();
    creating.now = true;
    await write(idle);
    shown();
    await write(aStatus({ state: 'Rejected', accepted: 'False' }));
    expect(states()).toEqual(['Idle', 'Rejected']);
  });
});

it('a ConfigMap that was forgotten is looked at as after a restart', async () => {
  const { write, writer, shown } = aWriter();
  await write(idle);
  shown();
  writer.forget('cm-1');
  expect(await write(running)).toBe(seconds(10));
});

describe('reading what was written', () => {
  it.each([
    ['a status', JSON.stringify(running), { observedHash: 'hash-1', accepted: 'True', reason: 'JobRunning', state: 'Running' }],
    ['nothing', undefined, {}],
    ['no JSON', '{', {}],
    ['a number', '7', {}],
    ['null', 'null', {}],
    ['conditions that are none', '{"conditions":{}}', {}],
    ['conditions of garbage', '{"conditions":[null]}', {}],
  ])('%s', (_sentence, text, read) => {
    expect(readStatus(text)).toEqual({ observedHash: undefined, accepted: undefined, reason: undefined, ...read });
  });
});
