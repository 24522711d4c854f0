/** What follows once a run was asked for: its name, and its end for those who wait for it. */
import { exitCode } from '../exit-code.ts';
import { showStatus } from '../status.ts';
import { followRun } from './follow.ts';
import { followWithLogs } from './follow-logs.ts';
import type { OutputFormat } from './output-format.ts';
import type { Session } from './session.ts';
import type { Submitted } from './submit.ts';

export interface WaitOptions {
  readonly wait?: boolean;
  /** Waits, and prints what its containers write. */
  readonly follow?: boolean;
  /** Milliseconds; who says how long wants to wait. */
  readonly timeout?: number;
  readonly output?: OutputFormat;
}

/** The name alone is on standard output, for scripts, or the run in the format asked for; everything else is told on the other one. */
export async function tellSubmitted(session: Session, { name, target, notes }: Submitted, { wait = false, follow = false, timeout, output = 'text' }: WaitOptions): Promise<number> {
  if (output === 'text') session.out(name);
  for (const note of notes) session.err(`note: ${note}`);
  const code = follow ? await followWithLogs(session, { name, target, timeout }) : wait || timeout !== undefined ? await followRun(session, { name, target, timeout }) : exitCode.ok;
  if (output !== 'text') await showStatus(session, { name, output, watch: false });
  return code;
}
