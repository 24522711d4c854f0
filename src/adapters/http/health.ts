/** Health checks and their text, as kube-apiserver writes it. */

/** One answer; `detail` is for whoever looks at the verbose text. */
export interface CheckResult {
  readonly ok: boolean;
  readonly detail?: string;
}
export type Check = () => CheckResult;
/** Checks by name; they are called at each probe, so they must be cheap and ask nobody. */
export type Checks = Readonly<Record<string, Check>>;

export interface HealthQuery {
  readonly verbose: boolean;
  /** Names left out, as in `?exclude=watch-jobs`. */
  readonly exclude: readonly string[];
}

/** The whole of a probe: `ok`, or one line per check where it is asked for or something failed. */
export function health(endpoint: string, checks: Checks, { verbose, exclude }: HealthQuery): { readonly ok: boolean; readonly text: string } {
  const results = Object.entries(checks)
    .filter(([name]) => !exclude.includes(name))
    .map(([name, check]) => ({ name, ...run(check) }));
  const ok = results.every((result) => result.ok);
  if (ok && !verbose) return { ok, text: 'ok\n' };
  const lines = results.map((result) => (result.ok ? `[+]${result.name} ok${suffix(result)}` : `[-]${result.name} failed${suffix(result)}`));
  return { ok, text: [...lines, `${endpoint} check ${ok ? 'passed' : 'failed'}`, ''].join('\n') };
}

/** A check that throws has failed; the probe must be answered all the same. */
function run(check: Check): CheckResult {
  try {
    return check();
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

function suffix({ detail }: CheckResult): string {
  return detail === undefined ? '' : `: ${detail.replace(/\s+/g, ' ')}`;
}
