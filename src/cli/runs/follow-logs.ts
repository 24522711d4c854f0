/** `run --follow`: what the containers write, and how the steps stand, until the run is over. */
import { asError } from '../../lib/clock.ts';
import { exitCode, NoAnswer } from '../exit-code.ts';
import { followLogs } from '../logs/follow.ts';
import type { LogOptions } from '../logs/options.ts';
import { logSource } from '../logs/source.ts';
import { readStatus, type RunDetails } from '../status/read.ts';
import { stepTable } from '../status/render-run.ts';
import { elapsed } from './elapsed.ts';
import { followRun, type FollowOptions } from './follow.ts';
import { LiveTable } from './live-table.ts';
import { endText, isFinished } from './phases.ts';
import { RecordWatch } from './record-watch.ts';
import type { Session } from './session.ts';

const allLogs: LogOptions = { follow: true, container: undefined, allContainers: false, previous: false, tail: undefined, since: undefined, timestamps: false, prefix: undefined };
/** Times in the table go on between changes. */
const drawEvery = 1_000;
/** More would leave no room for what is written. */
const mostRows = 15;

/** As `followRun`, with the logs on standard output. On a terminal the steps are a table below them, else lines on standard error. */
export async function followWithLogs(session: Session, options: FollowOptions): Promise<number> {
  const { screen } = session;
  const table = screen.width === undefined ? undefined : new LiveTable(session.out, screen);
  const above = (text: string): void => { table?.above(text); };
  const stop = new AbortController();
  const printing = table ? { ...session, out: above, err: above } : session;
  const logs = readLogs(printing, options.name, stop.signal);
  try {
    const code = table ? await showTable(session, table, options) : await followRun(session, options);
    // What was written last is still on its way.
    if (code !== exitCode.timedOut) await logs;
    return code;
  } finally {
    stop.abort();
    await logs;
  }
}

/** Never rejects: who may not read logs can still wait. */
async function readLogs(session: Session, name: string, signal: AbortSignal): Promise<void> {
  try {
    await followLogs(session, await logSource(session.runs, name, undefined), allLogs, signal);
  } catch (error) {
    session.err(`no logs: ${asError(error).message}`);
  }
}

async function showTable(session: Session, table: LiveTable, { name, target, timeout }: FollowOptions): Promise<number> {
  const { runs, clock } = session;
  const began = clock.monotonic();
  const watch = new RecordWatch(runs, clock, { workflow: target.name, name });
  try {
    for (;;) {
      const details = await look(session, name);
      const waited = clock.monotonic() - began;
      if (details) table.show(['', ...linesOf(session, details)]);
      if (details && isFinished(details.record)) return ended(table, details);
      if (timeout !== undefined && waited >= timeout) {
        table.above(`not over after ${elapsed(waited)}; the run goes on: job-chief status ${name}`);
        return exitCode.timedOut;
      }
      await watch.changed(Math.min(drawEvery, timeout === undefined ? drawEvery : timeout - waited));
    }
  } finally {
    await watch.stop();
  }
}

function ended(table: LiveTable, { record }: RunDetails): number {
  table.above(`run "${record.name}" ${endText(record)}`);
  return record.phase === 'Succeeded' ? exitCode.ok : exitCode.no;
}

/** undefined: the cluster does not answer, which is waited for. */
async function look(session: Session, name: string): Promise<RunDetails | undefined> {
  try {
    const shown = await readStatus(session, name);
    return shown.kind === 'run' ? shown.details : undefined;
  } catch (error) {
    if (error instanceof NoAnswer) return undefined;
    throw error;
  }
}

/** Of many steps those that are under way, or went wrong. */
function linesOf({ screen, clock }: Session, details: RunDetails): string[] {
  const { steps } = details;
  const telling = steps.length <= mostRows ? steps : steps.filter(({ state }) => !['Succeeded', 'Skipped', 'Omitted', 'Waiting'].includes(state)).slice(0, mostRows);
  const more = steps.length - telling.length;
  const table = telling.length === 0 ? [] : stepTable({ ...details, steps: telling }, { screen, now: clock.now(), wide: false });
  return [...table, ...(more > 0 ? [`… and ${more} more`] : []), details.message];
}
