/** What the engine warns about, for somebody who looks at a terminal: each thing once. */
import { asError } from '../../lib/clock.ts';
import { stringAt } from '../../lib/json.ts';
import type { Log } from '../../reconcile/ports.ts';
import { oneLine } from '../runs/table.ts';

const nothing = (): void => undefined;

/** Steps and what the run waits for are told otherwise: only warnings and errors are left. */
export function warningLog(err: (line: string) => void): Log {
  const told = new Set<string>();
  const tell = (fields: object, message: string): void => {
    const why = stringAt(fields, 'because') ?? textOf('err' in fields ? fields.err : 'error' in fields ? fields.error : undefined);
    const line = oneLine(`warning: ${message}${why === undefined ? '' : `: ${why}`}`);
    if (told.has(line)) return;
    told.add(line);
    err(line);
  };
  return { debug: nothing, info: nothing, warn: tell, error: tell };
}

function textOf(error: unknown): string | undefined {
  return error === undefined ? undefined : asError(error).message;
}
