/** A run as the shell holds it, for unit tests. */
import type { LoadedRun } from '../../src/reconcile/runs/run-memory.ts';
import { aJobStep, aWorkflowOf } from './steps.ts';
import { aState } from './record-fakes.ts';

export function aLoadedRun(changes: Partial<LoadedRun> = {}): LoadedRun {
  return { uid: 'uid-etl-1', spec: aWorkflowOf(aJobStep(), { name: 'etl' }), parameters: {}, earlier: undefined, state: aState(), notBefore: 0, confirmed: new Set(), absent: new Set(), refusals: new Map(), failures: new Map(), told: new Set(), patched: new Map(), ...changes };
}
