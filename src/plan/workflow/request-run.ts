/** A run that somebody asks for: its name and its request. It waits in its record until the workflow or template takes it up. */
import type { WorkflowSpec } from '../../spec/workflow.ts';
import { jobName } from '../job-name.ts';
import { requestFor, type RunRequest } from '../run/record.ts';
import { retentionNote } from './create-run.ts';

export interface Asked {
  readonly instance: string;
  /** The same key is the same run; whoever has none draws one at random. */
  readonly key: string;
  readonly rerunOf?: RunRequest['rerunOf'];
  readonly priority?: number;
}

/** Asking twice with one key gives one name, which is the lock. */
export function requestRun(spec: Pick<WorkflowSpec, 'kind' | 'name' | 'retention'>, { instance, key, rerunOf, priority }: Asked): { readonly name: string; readonly request: RunRequest } {
  const isTemplate = spec.kind === 'Template';
  return {
    name: jobName(spec.name, [instance, ...(isTemplate ? ['template'] : []), spec.name, 'request', key]),
    request: {
      ...requestFor({ kind: isTemplate ? 'template' : 'workflow', name: spec.name }),
      trigger: 'request',
      ...(rerunOf === undefined ? {} : { rerunOf }),
      ...(priority === undefined ? {} : { priority }),
      retention: retentionNote(spec.retention),
    },
  };
}
