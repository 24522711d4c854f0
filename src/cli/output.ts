/** Standard output for answers, standard error for everything else, as kubectl does. */

export function writeLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function writeError(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Resolves when standard output takes more. */
export async function drained(): Promise<void> {
  if (process.stdout.writableNeedDrain) await new Promise<void>((resolve) => { process.stdout.once('drain', resolve); });
}

/** `error: what: why: why`, from an error and its causes. Bugs of ours show where they are. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `error: ${String(error)}`;
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) return `error: ${error.stack ?? error.message}`;
  const parts: string[] = [];
  for (let cause: unknown = error; cause instanceof Error && parts.length < 8; cause = cause.cause) {
    const { message } = cause;
    if (!parts.some((part) => part.includes(message))) parts.push(message);
  }
  return `error: ${parts.join(': ')}`;
}
