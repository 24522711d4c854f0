/** Records as a watch of their metadata shows them. What they hold, up to 1 MiB each, is read when a run needs it. */
import type { Clock } from '../../lib/clock.ts';
import type { JsonObject } from '../../lib/json.ts';
import { labelValue } from '../../lib/label-value.ts';
import type { SpecKey } from '../../plan/observed.ts';
import type { ObservedRecord } from '../../plan/run/record.ts';
import type { Log } from '../../reconcile/ports.ts';
import type { RecordCache, RecordNews } from '../../reconcile/record-ports.ts';
import { instanceLabel, keepUntilAnnotation, recordLabel } from '../../spec/keys.ts';
import { isForbidden } from './api-error.ts';
import type { ApiFailure } from './api-error.ts';
import type { KubernetesClient } from './client.ts';
import { annotationsOf } from './labels.ts';
import { readKeep, unreadKeep } from './notes.ts';
import { KeyIndex } from './key-index.ts';
import { projectRecord, recordRole } from './project-record.ts';
import { Reflector } from './reflector.ts';
import type { ReflectorMeter } from './reflector.ts';
import { configMaps } from './resources.ts';
import { hasReached } from './resource-version.ts';
import type { Change } from './store.ts';

export interface RecordCacheOptions {
  readonly client: Pick<KubernetesClient, 'list' | 'watch' | 'namespace'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly instance: string;
  readonly log: Log;
  /** A record came, changed (every write shows, so that one who waits for a version is woken) or went. */
  readonly onChange: (change: RecordNews) => void;
  /** `synced` or `problem` says something else now. */
  readonly onState?: () => void;
  /** Hooks of the watch, called with `records`. */
  readonly meter?: (resource: string) => ReflectorMeter;
}

interface CachedRecord {
  readonly name: string;
  readonly uid: string;
  readonly key: SpecKey;
  readonly record: ObservedRecord;
  readonly unreadKeep: string | undefined;
}

/** Start it once, stop it once. Without the right it stays unsynced with a problem, and finds out when it is granted. */
export class KubernetesRecordCache implements RecordCache {
  readonly reflector: Reflector<CachedRecord>;
  readonly #options: RecordCacheOptions;
  readonly #byTarget = new KeyIndex<CachedRecord>();
  /** Of sub-runs, by the UID of the record of the run that waits for them. */
  readonly #byParent = new Map<string, Map<string, ObservedRecord>>();
  /** Of runs that messages started, by the queue as a label value has it. */
  readonly #byQueue = new Map<string, Map<string, ObservedRecord>>();

  constructor(options: RecordCacheOptions) {
    this.#options = options;
    const { client, clock, random, log, instance, meter, onState } = options;
    this.reflector = new Reflector<CachedRecord>({
      client, clock, random, log,
      resource: configMaps,
      labelSelector: `${recordLabel}=${recordRole},${instanceLabel}=${instance}`,
      metadataOnly: true,
      meter: meter?.('records'),
      project: (raw) => cached(projectRecord(raw, instance), raw),
      onChange: (change) => {
        this.#changed(change);
      },
      ...(onState === undefined ? {} : { onState }),
    });
  }

  start(): void {
    this.reflector.start();
  }

  stop(): Promise<void> {
    return this.reflector.stop();
  }

  /** Without the right to read records there is nothing to wait for. */
  async refresh(): Promise<void> {
    if (this.synced && this.problem === undefined) await this.reflector.refresh();
  }

  get synced(): boolean {
    return this.reflector.synced;
  }

  get whenSynced(): Promise<undefined> {
    return this.reflector.whenSynced;
  }

  /** A right that was taken away is told also after the first list: what the cache shows is old then. */
  get problem(): RecordCache['problem'] {
    const { failure, synced } = this.reflector;
    if (failure === undefined) return undefined;
    if (isForbidden(failure)) return { reason: 'Forbidden', message: missingRight(failure, this.#options.client.namespace) };
    return synced ? undefined : { reason: 'RecordsUnread', message: failure.message };
  }

  all(): readonly ObservedRecord[] {
    return [...this.reflector.values()].map(({ record }) => record);
  }

  of(target: SpecKey): readonly ObservedRecord[] {
    return [...this.#byTarget.of(target)].map(({ record }) => record);
  }

  ofQueue(queue: SpecKey): readonly ObservedRecord[] {
    return [...(this.#byQueue.get(queue.name)?.values() ?? [])];
  }

  childrenOf(uid: string): readonly ObservedRecord[] {
    return [...(this.#byParent.get(uid)?.values() ?? [])];
  }

  get(name: string): ObservedRecord | undefined {
    return this.reflector.get(name)?.record;
  }

  hasSeen(resourceVersion: string): boolean {
    return hasReached(this.reflector.resourceVersion, resourceVersion);
  }

  #changed(change: Change<CachedRecord>): void {
    const { name } = change.kind === 'deleted' ? change.before : change.after;
    if (change.kind !== 'deleted' && change.after.unreadKeep !== undefined && (change.kind === 'added' || change.before.unreadKeep !== change.after.unreadKeep)) {
      this.#options.log.warn({ run: name, text: change.after.unreadKeep }, unreadKeep);
    }
    if (change.kind !== 'added') this.#note(change.before.record, false);
    if (change.kind !== 'deleted') this.#note(change.after.record, true);
    for (const target of this.#byTarget.apply(change)) this.#options.onChange({ name, target, record: change.kind === 'deleted' ? change.before.record : change.after.record, gone: change.kind === 'deleted' });
  }

  #note(record: ObservedRecord, isThere: boolean): void {
    const { parent, queue } = record.request ?? {};
    noteUnder(this.#byParent, parent?.uid, record, isThere);
    noteUnder(this.#byQueue, queue === undefined ? undefined : labelValue(queue), record, isThere);
  }
}

function cached(record: ObservedRecord | undefined, raw: JsonObject): CachedRecord | undefined {
  return record && { name: record.name, uid: record.uid, key: record.target, record, unreadKeep: readKeep(annotationsOf(raw)[keepUntilAnnotation]).unread };
}

/** In the words of RBAC's refusal, with the question that shows whether it is mended. */
function missingRight(failure: ApiFailure, namespace: string): string {
  const refused = /User "(?<user>[^"]+)" cannot (?<verb>\w+) resource "(?<resource>[^"]+)"/.exec(failure.message);
  const { user, verb, resource } = refused?.groups ?? {};
  if (user === undefined || verb === undefined || resource === undefined) return `records of runs cannot be read: ${failure.message}`;
  return `the right to ${verb} ${resource} is missing: kubectl auth can-i ${verb} ${resource} -n ${namespace} --as ${user}`;
}

function noteUnder(index: Map<string, Map<string, ObservedRecord>>, under: string | undefined, record: ObservedRecord, isThere: boolean): void {
  if (under === undefined) return;
  const records = index.get(under) ?? new Map<string, ObservedRecord>();
  if (isThere) records.set(record.name, record);
  else records.delete(record.name);
  if (records.size === 0) index.delete(under);
  else index.set(under, records);
}
