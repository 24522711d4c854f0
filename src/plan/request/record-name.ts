/** The record of a Run: named from what defines it, so that it is asked for once, whatever becomes of its text. */
import { jobName } from '../job-name.ts';
import type { Claim } from '../observed.ts';

/**
 * A ConfigMap's UID stays with it through every edit and apply; one that is deleted and created again is another request.
 * A file has no UID: its path and its text are what it is. undefined: a file that cannot be read.
 */
export function recordNameOf({ source, parsed }: Claim, instance: string): string | undefined {
  if (source.kind === 'configMap') return jobName(source.name, [instance, 'run', source.uid]);
  return parsed.hash === undefined ? undefined : jobName(parsed.name, [instance, 'run of file', source.path, parsed.name, parsed.hash]);
}

/** What the record's request knows it by. */
export function sourceOf({ source }: Claim): string {
  return source.kind === 'configMap' ? source.uid : source.path;
}
