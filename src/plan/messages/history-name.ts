/** The name of the history of a queue. */
import { historyRole } from '../../spec/keys.ts';
import { jobName } from '../job-name.ts';
import type { SpecKey } from '../observed.ts';

/** The same in every process; told from Jobs of the queue by what it ends in. */
export function historyName(instance: string, { kind, name }: SpecKey): string {
  return `${jobName(name, [historyRole, instance, kind, name])}-${historyRole}`;
}
