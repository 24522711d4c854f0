/**
 * Lines of one turn of the event loop in one write: a write is a system call for which the whole process waits, and a
 * burst of creates logs a dozen lines in a turn. The turn's end is not waited for by what becomes too much, nor by the end
 * of the process, be it an exit or an exception that nobody caught. A SIGKILL can cost the lines of the turn under way.
 */
import { pino, type DestinationStream } from 'pino';

/** Characters; a pipe takes 64 KiB at once. */
const mostPending = 32_768;

export interface TurnLines extends DestinationStream {
  /** Writes what is pending, now. */
  flush(): void;
}

/** `destination` must write synchronously. `later` runs a function once this turn is over. */
export function turnLines(destination: DestinationStream, later: (run: () => void) => void): TurnLines {
  let pending = '';
  const flush = (): void => {
    const text = pending;
    pending = '';
    if (text !== '') destination.write(text);
  };
  return {
    write: (line) => {
      if (pending === '') later(flush);
      pending += line;
      if (pending.length >= mostPending) flush();
    },
    flush,
  };
}

/** To standard output, complete when the process exits. */
export function standardOutput(): DestinationStream {
  const lines = turnLines(pino.destination({ fd: 1, sync: true }), (run) => void setImmediate(run));
  process.on('exit', () => { lines.flush(); });
  return lines;
}
