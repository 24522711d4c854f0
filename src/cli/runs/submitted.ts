/** What follows once a run was asked for: its name, and its end for those who wait for it. */
import { exitCode } from '../exit-code.ts';
import { followRun } from './follow.ts';
import type { Session } from './session.ts';
import type { Submitted } from './submit.ts';

export interface WaitOptions {
  readonly wait?: boolean;
  /** Milliseconds; who says how long wants to wait. */
  readonly timeout?: number;
}

/** The name alone is on standard output, for scripts; everything else is told on the other one. */
export async function tellSubmitted(session: Session, { name, workflow, notes }: Submitted, { wait = false, timeout }: WaitOptions): Promise<number> {
  session.out(name);
  for (const note of notes) session.err(`note: ${note}`);
  return wait || timeout !== undefined ? followRun(session, { name, workflow, timeout }) : exitCode.ok;
}
