/** The text that a run started with, read again. */
import { targetName, type ObservedRecord } from '../../plan/run/record.ts';
import { parseSpec } from '../../spec/parse.ts';
import { isRunnable } from '../../spec/parsed.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';

/** undefined: it cannot be read, because somebody edited it. */
export function frozenSpec(record: ObservedRecord, data: Readonly<Record<string, string>>): WorkflowSpec | undefined {
  const { spec } = parseSpec({ file: `configmap/${record.name}`, objectName: targetName(record), label: record.target.kind, data }, {});
  return isRunnable(spec) ? spec : undefined;
}
