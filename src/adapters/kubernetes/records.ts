/**
 * Records of runs as ConfigMaps. A record is one object and every change of it one conditional write; the map of files
 * that its pods mount follows from it, and is made after it. Whoever reads a record that runs makes sure of that map, so
 * that a crash in between, or somebody who deletes it, is mended without the spec, which may be gone by then.
 */
import type { JsonObject } from '../../lib/json.ts';
import type { ObservedRecord } from '../../plan/run/record.ts';
import type { ReadResult, WriteResult } from '../../reconcile/ports.ts';
import type { NewRecord, RecordChange, RecordStore, StoredRecord } from '../../reconcile/record-ports.ts';
import { filesMapSuffix, specKey } from '../../spec/keys.ts';
import type { KubernetesClient } from './client.ts';
import { textsAt } from './labels.ts';
import { beingDeleted, confirmOwnedMap, createOwnedMap } from './owned-maps.ts';
import { projectRecord } from './project-record.ts';
import { decodeContent, encodeData, encodeParameters, encodeState, joined } from './record-codec.ts';
import type { RecordContent } from './record-codec.ts';
import { filesManifest, isSameRun, recordManifest, recordPatch } from './record-manifest.ts';
import { configMaps } from './resources.ts';

export interface RecordsOptions {
  readonly client: Pick<KubernetesClient, 'get' | 'create' | 'mergePatch' | 'delete'>;
  readonly instance: string;
  /** For people's eyes: reading a record never writes. */
  readonly readOnly?: boolean;
}

type Target = Parameters<RecordStore['write']>[0];

/** The API server's limit is 1,048,576; some room for what an editor adds. */
const longest = 1_000_000;
/** Of that for a state, compressed: far beyond 10,000 steps. A run that could not write its state would never end. */
const roomForState = 300_000;
/** And for the spec and its files, where a request comes before them. More of these is looked at beside the parameters. */
const roomForText = 200_000;

export class KubernetesRecords implements RecordStore {
  readonly #client: RecordsOptions['client'];
  readonly #instance: string;
  readonly #readOnly: boolean;

  constructor({ client, instance, readOnly = false }: RecordsOptions) {
    this.#client = client;
    this.#instance = instance;
    this.#readOnly = readOnly;
  }

  /**
   * `done` also where an earlier call made it; `exists` where another run, or something else, has the name; `conflict` where
   * what has it is being deleted; `unknown` also where the record was made and its files were not: the next read makes them.
   */
  async create(record: NewRecord): Promise<WriteResult> {
    const content = joined(encodeParameters(record.parameters), ...(record.data === undefined ? [] : [encodeData(record.data)]));
    const tooLarge = oversized('spec, files and parameters', content.bytes, record.data === undefined ? longest - roomForState - roomForText : longest - roomForState) ?? oversized('files', sizeOf(record.data), longest);
    if (tooLarge) return tooLarge;
    const made = await this.#client.create(configMaps, recordManifest(record, content, this.#instance));
    if (made.kind === 'refused') return inOurWords(made);
    return made.kind === 'done' ? this.#withFiles(made, record.name, filesIn(record.data)) : this.#madeBefore(record, made);
  }

  async read(name: string): Promise<ReadResult<StoredRecord>> {
    const found = await this.#find(name);
    if (found.kind !== 'found') return found;
    const { record, content } = found.value;
    const problem = this.#readOnly || isOver(record) ? undefined : await this.#filesProblem(record, content.files, confirmOwnedMap);
    if (problem) return { kind: 'failed', message: problem.message, forbidden: problem.kind === 'forbidden' };
    return { kind: 'found', value: { record, data: content.data, parameters: content.parameters, state: content.state } };
  }

  /** `unknown` also where a run was admitted and its files were not made: the next read makes them. */
  async write(target: Target, change: RecordChange): Promise<WriteResult> {
    const content = joined(...(change.data === undefined ? [] : [encodeData(change.data)]), ...(change.state === undefined ? [] : [encodeState(change.state)]));
    const limit = change.data === undefined ? longest : longest - roomForState;
    const tooLarge = oversized('a change', content.bytes, limit) ?? oversized('files', sizeOf(change.data), longest);
    if (tooLarge) return tooLarge;
    const beside = change.data !== undefined && content.bytes > roomForText ? await this.#tooMuchBeside(target, content.bytes) : undefined;
    if (beside) return beside;
    const written = await this.#client.mergePatch(configMaps, target.name, recordPatch(target, change, content));
    return written.kind === 'done' ? this.#withFiles(written, target.name, filesIn(change.data)) : inOurWords(written);
  }

  /** In the background: its Jobs and maps are collected, and the Jobs' pods with them. */
  delete({ name, uid, resourceVersion }: Target): Promise<WriteResult> {
    return this.#client.delete(configMaps, name, { propagationPolicy: 'Background', uid, resourceVersion });
  }

  async createMap(manifest: JsonObject): Promise<WriteResult> {
    return oversized('a map', mapSize(manifest), longest) ?? createOwnedMap(this.#client, manifest);
  }

  /** A run that starts needs room for its state beside its text and its parameters. */
  async #tooMuchBeside({ name, uid }: Target, bytes: number): Promise<WriteResult | undefined> {
    const found = await this.#find(name);
    if (found.kind === 'failed') return { kind: 'unknown', message: found.message };
    if (found.kind !== 'found' || found.value.record.uid !== uid) return { kind: 'gone' };
    return oversized('spec, files and parameters', bytes + encodeParameters(found.value.content.parameters).bytes, longest - roomForState);
  }

  async #find(name: string): Promise<ReadResult<Found>> {
    const found = await this.#client.get(configMaps, name);
    if (found.kind !== 'found') return found;
    const record = projectRecord(found.value, this.#instance);
    return record ? { kind: 'found', value: { record, content: decodeContent(found.value) } } : { kind: 'absent' };
  }

  /** The create came to nothing clear, or the name is taken: by the very record that was to be made? */
  async #madeBefore(wanted: NewRecord, made: WriteResult): Promise<WriteResult> {
    const found = await this.#find(wanted.name);
    // What has the name nobody has seen.
    if (found.kind === 'failed' && made.kind === 'exists') return { kind: 'unknown', message: found.message };
    if (found.kind !== 'found') return made;
    const { record, content } = found.value;
    if (record.deleting) return beingDeleted(record.name);
    if (!isSameRun({ request: record.request, parameters: content.parameters }, wanted)) return { kind: 'exists' };
    const done: WriteResult = { kind: 'done', uid: record.uid, resourceVersion: record.resourceVersion, warnings: [] };
    return isOver(record) ? done : this.#withFiles(done, record.name, content.files);
  }

  async #withFiles(done: Extract<WriteResult, { kind: 'done' }>, name: string, files: RecordContent['files']): Promise<WriteResult> {
    const problem = await this.#filesProblem({ name, uid: done.uid }, files, createOwnedMap);
    return problem ? { kind: 'unknown', message: problem.message } : done;
  }

  /** undefined: the map is there, or none is needed. */
  async #filesProblem(record: Pick<ObservedRecord, 'name' | 'uid'>, files: RecordContent['files'], make: typeof createOwnedMap): Promise<{ readonly kind: string; readonly message: string } | undefined> {
    if (files === undefined) return undefined;
    const made = await make(this.#client, filesManifest(record, files, this.#instance));
    if (made.kind === 'done') return undefined;
    const why = made.kind === 'exists' ? 'it holds something else, and is made anew once that is gone' : made.kind === 'gone' ? 'it went at once' : made.message;
    return { kind: made.kind, message: `ConfigMap ${record.name}${filesMapSuffix}: ${why}` };
  }
}

interface Found {
  readonly record: ObservedRecord;
  readonly content: RecordContent;
}

/** Nothing mounts its files any more. */
function isOver({ phase, deleting }: ObservedRecord): boolean {
  return deleting || phase === 'Succeeded' || phase === 'Failed' || phase === 'Cancelled';
}

function filesIn(data: NewRecord['data']): RecordContent['files'] {
  const { [specKey]: _spec, ...files } = data ?? {};
  return Object.keys(files).length === 0 ? undefined : files;
}

/** Bytes as the API server counts them. */
function sizeOf(texts: Readonly<Record<string, string>> | undefined): number {
  return Object.entries(texts ?? {}).reduce((sum, [key, text]) => sum + key.length + Buffer.byteLength(text), 0);
}

function mapSize(manifest: JsonObject): number {
  return sizeOf(textsAt(manifest, 'data')) + Object.values(textsAt(manifest, 'binaryData')).reduce((sum, text) => sum + Buffer.byteLength(text, 'base64'), 0);
}

function oversized(what: string, bytes: number, limit: number): WriteResult | undefined {
  if (bytes <= limit) return undefined;
  return { kind: 'refused', tooLarge: true, message: `too large for a ConfigMap: ${what} of ${bytes.toLocaleString('en')} bytes, where ${limit.toLocaleString('en')} are allowed` };
}

/** The API server says only `[]: Too long`, and nobody can tell what of. */
function inOurWords(result: WriteResult): WriteResult {
  return result.kind === 'refused' && result.message.includes('Too long') ? { kind: 'refused', tooLarge: true, message: `the record would be larger than a ConfigMap may be: ${result.message}` } : result;
}
