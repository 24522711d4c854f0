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

/** UIDs of records, by whether the Run that asked for them is there. */
export interface AskedRecords {
  readonly asked: ReadonlySet<string>;
  /** Of these, some of which nobody knows: whoever made the record has seen its Run, which this process may not have yet. */
  readonly unsure: boolean;
}

/** Those whose Run is there, or may be: by a view of specs that is older than the record, what is not in it may be to come. */
export function askedRecords(specs: SpecIndex, records: readonly ObservedRecord[]): AskedRecords {
  const [found, missing] = [new Set<string>(), [] as ObservedRecord[]];
  for (const record of records) {
    if (keyOfRequest(specs, record) !== undefined) found.add(record.uid);
    else if (record.request?.run !== undefined) missing.push(record);
  }
  if (missing.length === 0) return { asked: found, unsure: false };
  const untaken = specs.untaken();
  const unsure = missing.filter(({ request, resourceVersion }) => untaken.has(request?.source ?? '') || !specs.hasSeen(resourceVersion));
  return { asked: new Set([...found, ...unsure.map(({ uid }) => uid)]), unsure: unsure.length > 0 };
}
