/** The Run that asked for a run, as long as it is there. */
import { labelValue } from '../../lib/label-value.ts';
import type { SpecKey } from '../../plan/observed.ts';
import type { ObservedRecord } from '../../plan/run/record.ts';
import { requestKey } from '../key.ts';
import type { SpecIndex } from '../spec-index.ts';

/**
 * undefined: none asked for it, or it is gone. A ConfigMap is itself whatever its text has become; a file is its path and
 * its text, and one that cannot be read may be any.
 */
export function keyOfRequest(specs: SpecIndex, { request }: Pick<ObservedRecord, 'request'>): SpecKey | undefined {
  if (request?.run === undefined || request.source === undefined) return undefined;
  const found = specs.keyOfSource(request.source);
  if (found) return found;
  const key = requestKey(labelValue(request.run));
  const isThere = specs.claims(key).some(({ source, parsed }) => source.kind === 'file' && source.path === request.source && parsed.hash === request.specHash);
  return isThere || specs.hasUnreadFiles ? key : undefined;
}
