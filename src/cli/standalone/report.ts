/** How a run came out: the table that `job-chief status` prints of one. */
import type { StoredRecord } from '../../reconcile/record-ports.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import { criticalPath } from '../runs/critical-path.ts';
import { stepViews } from '../../plan/run/step-views.ts';
import type { Screen } from '../runs/table.ts';
import { documentOf } from '../status/documents.ts';
import type { RunDetails } from '../status/read.ts';
import { render } from '../status/render.ts';

function detailsOf(spec: WorkflowSpec, { record, parameters, state: stored }: StoredRecord): RunDetails {
  const state = typeof stored === 'object' ? stored : undefined;
  return {
    record,
    parameters,
    state,
    message: record.result?.message ?? '',
    steps: stepViews(spec, { state, over: true, progress: new Map() }),
    path: state && criticalPath(spec, state, state.end?.at ?? state.startedAt),
  };
}

/** For people. `now`: milliseconds since 1970. */
export function reportText(spec: WorkflowSpec, run: StoredRecord, options: { readonly screen: Screen; readonly now: number }): string {
  return render({ kind: 'run', details: detailsOf(spec, run) }, { ...options, wide: false }).join('\n');
}

/** For programs. */
export function reportDocument(spec: WorkflowSpec, run: StoredRecord): object {
  return documentOf({ kind: 'run', details: detailsOf(spec, run) });
}
