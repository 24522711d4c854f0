/** What the JSON lines of a standalone run say about its end, without names and times. */
interface Told {
  readonly event: string;
  readonly run?: { readonly outcome?: string; readonly failedSteps?: readonly string[]; readonly steps: readonly { readonly name: string; readonly state: string; readonly attempts: number; readonly items?: unknown }[] };
}

export function finalOf(lines: readonly string[]): unknown {
  const { run } = lines.map((line) => JSON.parse(line) as Told).findLast(({ event }) => event === 'end') ?? {};
  return run && [run.outcome, run.failedSteps, run.steps.map(({ name, state, attempts, items }) => [name, state, attempts, items])];
}
