/**
 * The data of a record: spec text, parameters, state, and the files that the spec names. The state is plain JSON, for
 * `kubectl get -o yaml`, until that gets large; files are compressed always, since the map that pods mount shows them.
 *
 * Compressing is synchronous: measured at level 1, the state of 2,000 steps takes 1 ms, less than to write it as JSON, and
 * the simulation, whose clock waits for no thread, runs the same code.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { isObject, objectAt } from '../../lib/json.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { RunState } from '../../plan/run/state.ts';
import { compressedStateKey, filesKey, parametersKey, specKey, stateKey } from '../../spec/keys.ts';
import { textsAt } from './labels.ts';
import { leanState } from './lean-state.ts';
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
const unpackedLimit = 16 * 1024 * 1024;

function packed(json: string): Buffer {
  return gzipSync(json, { level: 1 });
}

/** Compressed bytes of a state that keeps all its messages: of 2,000 steps that each failed with a long one it would be more than a record holds. */
const roomForMessages = 280 * 1024;
/** To how many characters messages are cut where there is no room for them. */
const shorter: readonly number[] = [200, 0];

/** As much of its messages as there is room for. */
function packedState(state: RunState, json: string): Buffer {
  let bytes = packed(json);
  for (const longest of shorter) {
    if (bytes.length <= roomForMessages) break;
    bytes = packed(JSON.stringify(leanState(state, longest)));
  }
  return bytes;
}

/** The other form of the state goes in the same write. */
export function encodeState(state: RunState): DataPatch {
  const json = JSON.stringify(state);
  if (Buffer.byteLength(json) <= plainLimit) return { data: { [stateKey]: json }, binaryData: { [compressedStateKey]: null }, bytes: Buffer.byteLength(json) + stateKey.length };
  const bytes = packedState(state, json);
  return { data: { [stateKey]: null }, binaryData: { [compressedStateKey]: bytes.toString('base64') }, bytes: bytes.length + compressedStateKey.length };
}

/** Spec text and files as a run freezes them. */
export function encodeData(frozen: Readonly<Record<string, string>>): DataPatch {
  const { [specKey]: spec = '', ...files } = frozen;
  const bytes = Buffer.byteLength(spec) + specKey.length;
  if (Object.keys(files).length === 0) return { data: { [specKey]: spec }, binaryData: {}, bytes };
  const archive = packed(JSON.stringify(files));
  return { data: { [specKey]: spec }, binaryData: { [filesKey]: archive.toString('base64') }, bytes: bytes + archive.length + filesKey.length };
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

/** Never throws: whatever part cannot be read makes the state `broken`. */
export function decodeContent(raw: JsonObject): RecordContent {
  const data = textsAt(raw, 'data');
  const binaryData = textsAt(raw, 'binaryData');
  const spec = data[specKey];
  const parameters = readParameters(data[parametersKey]);
  const files = asFiles(unpacked(binaryData[filesKey]));
  const state = readState(data[stateKey], binaryData[compressedStateKey]);
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

function readState(plain: string | undefined, compressed: string | undefined): RecordContent['state'] {
  if (plain === undefined && compressed === undefined) return undefined;
  // One of them is an edit, and nobody knows which.
  if (plain !== undefined && compressed !== undefined) return broken;
  const value = plain === undefined ? unpacked(compressed) : parsed(plain);
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
function unpacked(base64: string | undefined): unknown {
  if (base64 === undefined) return undefined;
  try {
    const text = gunzipSync(Buffer.from(base64, 'base64'), { maxOutputLength: unpackedLimit });
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
