/** The text that a run started with, read from its record. */
import { targetName } from '../../plan/run/record.ts';
import type { StoredRecord } from '../../reconcile/record-ports.ts';
import { parseSpec } from '../../spec/parse.ts';
import { isRunnable } from '../../spec/parsed.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';

/** undefined: the run is queued and has no text yet, or it cannot be read. */
export function frozenSpec({ record, data }: StoredRecord): WorkflowSpec | undefined {
  if (!data) return undefined;
  const { spec } = parseSpec({ file: `configmap/${record.name}`, objectName: targetName(record), label: record.target.kind, data }, {});
  return isRunnable(spec) ? spec : undefined;
}
