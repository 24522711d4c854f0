/** Which run it is: the same file, parameters and id give the same names, so that a run that is started again meets its own Jobs. */
import { canonicalJson, digest } from '../../lib/digest.ts';
import type { JsonObject } from '../../lib/json.ts';
import { jobName } from '../../plan/job-name.ts';
import { parametersOf } from '../../plan/run/run-facts.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';

/** Controllers with this name would take standalone runs for their own. */
export const standaloneInstance = 'standalone';

export interface RunIdentity {
  readonly name: string;
  readonly uid: string;
}

export interface RunOrigin {
  readonly namespace: string;
  readonly spec: WorkflowSpec;
  /** As given, without defaults. */
  readonly parameters: JsonObject;
  readonly runId: string | undefined;
}

/** Never the same for different texts: Jobs of an older text are not taken for those of the new one. */
export function runIdentity({ namespace, spec, parameters, runId }: RunOrigin): RunIdentity {
  const parts = ['standalone', namespace, spec.name, spec.hash, canonicalJson(parametersOf(spec, parameters)), runId === undefined ? 'without id' : `id ${runId}`];
  return { name: jobName(spec.name, parts), uid: digest(parts, 26) };
}
