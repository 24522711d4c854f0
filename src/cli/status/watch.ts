/** `job-chief status --watch`: the same again whenever something changes. */
import { targetName } from '../../plan/run/record.ts';
import { isFinished } from '../runs/phases.ts';
import { RecordWatch } from '../runs/record-watch.ts';
import type { Session } from '../runs/session.ts';
import { documentOf } from './documents.ts';
import { readStatus, type Shown } from './read.ts';

/** Statuses of specs, and items of an Indexed Job, change without a record. */
const readEvery = 5_000;
/** On a terminal times go on between the changes. */
const drawEvery = 1_000;

/** Prints until the run is over, or for ever. */
export async function watchStatus(session: Session, name: string | undefined, print: (shown: Shown) => string): Promise<void> {
  const onTerminal = session.screen.width !== undefined;
  const first = await readStatus(session, name);
  const watch = new RecordWatch(session.runs, session.clock, placeOf(first));
  try {
    let shown = first;
    let printed = '';
    let readAt = session.clock.monotonic();
    for (;;) {
      const mark = JSON.stringify(documentOf(shown), leaveTimesOut);
      if (onTerminal) session.out(`${clear}${print(shown)}`);
      else if (mark !== printed) session.out(`${printed === '' ? '' : '\n'}${print(shown)}`);
      printed = mark;
      if (shown.kind === 'run' && isFinished(shown.details.record)) return;
      const changed = await watch.changed(onTerminal ? drawEvery : readEvery);
      if (!changed && onTerminal && session.clock.monotonic() - readAt < readEvery) continue;
      shown = await readStatus(session, name);
      readAt = session.clock.monotonic();
    }
  } finally {
    await watch.stop();
  }
}

/** What goes on by itself is no change. */
function leaveTimesOut(key: string, value: unknown): unknown {
  return key === 'criticalPath' ? undefined : value;
}

/** Home, and away with what stands there. */
const clear = '\u001B[H\u001B[2J';

function placeOf(shown: Shown): { readonly workflow?: string; readonly name?: string } {
  if (shown.kind !== 'run') return {};
  const { record } = shown.details;
  return { workflow: targetName(record), name: record.name };
}
