/**
 * The data of a record: spec text, parameters, state, and the files that the spec names. The state is plain JSON, for
 * `kubectl get -o yaml`, until that gets large; files are compressed always, since the map that pods mount shows them.
 */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { isObject, objectAt } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { RunState } from '../../plan/run/state.ts';
import { compressedStateKey, filesKey, parametersKey, specKey, stateKey } from '../../spec/keys.ts';
import { textsAt } from './labels.ts';
import { asRunState } from './record-schema.ts';

/** Data keys as a merge patch takes them: null takes one away. */
export interface DataPatch {
  readonly data: Readonly<Record<string, string | null>>;
  /** base64, as in manifests. */
  readonly binaryData: Readonly<Record<string, string | null>>;
  /** As the API server counts it: keys, and values decoded. */
  readonly bytes: number;
}

/** What the data of a record says, all but its metadata. */
export interface RecordContent {
  readonly data: Readonly<Record<string, string>> | undefined;
  readonly parameters: JsonObject;
  readonly state: RunState | 'broken' | undefined;
  /** What the map for pods holds; undefined: the spec names no files. */
  readonly files: Readonly<Record<string, string>> | undefined;
}

/** From here on the state is compressed, some ten times. */
const plainLimit = 300 * 1024;
/** Far above what an API server stores; below what a forged document could unfold to. */
const unpackedLimit = 64 * 1024 * 1024;

const zip = promisify(gzip);
const unzip = promisify(gunzip);

/** The other form of the state goes in the same write. */
export async function encodeState(state: RunState): Promise<DataPatch> {
  const json = JSON.stringify(state);
  if (Buffer.byteLength(json) <= plainLimit) return { data: { [stateKey]: json }, binaryData: { [compressedStateKey]: null }, bytes: Buffer.byteLength(json) + stateKey.length };
  const packed = await zip(json);
  return { data: { [stateKey]: null }, binaryData: { [compressedStateKey]: packed.toString('base64') }, bytes: packed.length + compressedStateKey.length };
}

/** Spec text and files as a run freezes them. */
export async function encodeData(frozen: Readonly<Record<string, string>>): Promise<DataPatch> {
  const { [specKey]: spec = '', ...files } = frozen;
  const bytes = Buffer.byteLength(spec) + specKey.length;
  if (Object.keys(files).length === 0) return { data: { [specKey]: spec }, binaryData: {}, bytes };
  const packed = await zip(JSON.stringify(files));
  return { data: { [specKey]: spec }, binaryData: { [filesKey]: packed.toString('base64') }, bytes: bytes + packed.length + filesKey.length };
}

export function encodeParameters(parameters: JsonObject): DataPatch {
  const json = JSON.stringify(parameters);
  return { data: { [parametersKey]: json }, binaryData: {}, bytes: Buffer.byteLength(json) + parametersKey.length };
}

/** Several parts of one write. */
export function joined(...parts: readonly DataPatch[]): DataPatch {
  return {
    data: Object.assign({}, ...parts.map(({ data }) => data)) as DataPatch['data'],
    binaryData: Object.assign({}, ...parts.map(({ binaryData }) => binaryData)) as DataPatch['binaryData'],
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Never rejects: whatever part cannot be read makes the state `broken`. */
export async function decodeContent(raw: JsonObject): Promise<RecordContent> {
  const data = textsAt(raw, 'data');
  const binaryData = textsAt(raw, 'binaryData');
  const spec = data[specKey];
  const parameters = readParameters(data[parametersKey]);
  const files = asFiles(await unpacked(binaryData[filesKey]));
  const state = await readState(data[stateKey], binaryData[compressedStateKey]);
  const whole = parameters !== broken && files !== broken && !isMisplaced(raw);
  const readable = files === broken ? undefined : files;
  return {
    data: spec === undefined ? undefined : { ...readable, [specKey]: spec },
    parameters: parameters === broken ? {} : parameters,
    state: whole ? state : broken,
    files: readable,
  };
}

const broken = 'broken';

async function readState(plain: string | undefined, packed: string | undefined): Promise<RecordContent['state']> {
  if (plain === undefined && packed === undefined) return undefined;
  // One of them is an edit, and nobody knows which.
  if (plain !== undefined && packed !== undefined) return broken;
  const value = plain === undefined ? await unpacked(packed) : parsed(plain);
  return asRunState(value) ?? broken;
}

function readParameters(text: string | undefined): JsonObject | typeof broken {
  const value = text === undefined ? undefined : parsed(text);
  return isObject(value) ? value : broken;
}

function asFiles(value: unknown): RecordContent['files'] | typeof broken {
  if (value === undefined) return undefined;
  const files = textsAt({ files: value }, 'files');
  return isObject(value) && Object.keys(files).length === Object.keys(value).length ? files : broken;
}

/** undefined where there is nothing; `broken` where it is not gzip over JSON. */
async function unpacked(base64: string | undefined): Promise<unknown> {
  if (base64 === undefined) return undefined;
  try {
    const text = await unzip(Buffer.from(base64, 'base64'), { maxOutputLength: unpackedLimit });
    return JSON.parse(text.toString('utf8'));
  } catch {
    return broken;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return broken;
  }
}

/** A key of ours that is there, but not as text under the field where it belongs. */
function isMisplaced(raw: JsonObject): boolean {
  const data = objectAt(raw, 'data');
  const binaryData = objectAt(raw, 'binaryData');
  return [specKey, parametersKey, stateKey].some((key) => key in binaryData) || [compressedStateKey, filesKey].some((key) => key in data);
}
