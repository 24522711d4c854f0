/** Records of runs for tests, complete but for what a test is about. */
import type { RunRequest } from '../../src/plan/run/record.ts';
import type { RunState } from '../../src/plan/run/state.ts';
import type { NewRecord } from '../../src/reconcile/record-ports.ts';

export function aRequest(more: Partial<RunRequest> = {}): RunRequest {
  return { workflow: 'nightly', trigger: 'change', specHash: 'hash-1', source: 'spec-uid', ...more };
}

/** Queued, unless it gets `data`. */
export function aNewRecord(more: Partial<NewRecord> = {}): NewRecord {
  return { name: 'nightly-abc', request: aRequest(), parameters: { day: 'monday', rows: 3 }, data: undefined, owner: undefined, ...more };
}

export function aRunState(more: Partial<RunState> = {}): RunState {
  const extract = { attempts: [{ job: 'nightly-extract-1', at: 1_000, seen: true }] };
  return { startedAt: 1_000, steps: { extract }, undo: {}, ...more };
}

/** Of some KiB for each hundred steps, as a run of many steps has it. */
export function aLargeState(steps: number): RunState {
  const names = Array.from({ length: steps }, (_, n) => `step-${n}`);
  return aRunState({
    steps: Object.fromEntries(names.map((name, n) => [name, { outcome: 'succeeded' as const, reason: 'StepSucceeded', at: 2_000 + n, attempts: [{ job: `nightly-${name}-1`, at: 1_000 + n, seen: true, ranAt: 1_100 + n, endedAt: 2_000 + n, outcome: 'succeeded' as const, message: 'all containers ended with exit code 0' }] }])),
  });
}
