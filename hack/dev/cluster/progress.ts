/** Where the slow parts say what they do: one line per step, and one every two seconds while a step lasts. */
export interface Progress {
  (line: string): void;
}

export const toStderr: Progress = (line) => {
  process.stderr.write(`${line}\n`);
};

export function seconds(sinceMs: number): string {
  return `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;
}

export const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Polls until `ready` holds; `what` names in the error what never came. */
export async function until(what: string, timeoutMs: number, ready: () => Promise<boolean> | boolean, everyMs = 100): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await ready())) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await sleep(everyMs);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
