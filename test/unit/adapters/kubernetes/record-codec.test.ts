import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Static } from 'typebox';
import type { Json, JsonObject } from '../../../../src/lib/json.ts';
import { objectAt } from '../../../../src/lib/json.ts';
import { decodeContent, encodeData, encodeParameters, encodeState, joined } from '../../../../src/adapters/kubernetes/record-codec.ts';
import type { DataPatch } from '../../../../src/adapters/kubernetes/record-codec.ts';
import type { requestSchema, resultSchema, stateSchema } from '../../../../src/adapters/kubernetes/record-schema.ts';
import type { RunRequest, RunResult } from '../../../../src/plan/run/record.ts';
import type { RunState } from '../../../../src/plan/run/state.ts';
import { mergePatch } from '../../../../src/simulation/merge-patch.ts';
import { aLargeState, aRunState } from '../../../support/records.ts';
import { garbled } from './raw-objects.ts';
import { aRawRecord } from './raw-records.ts';

const patched = (raw: JsonObject, { data, binaryData }: DataPatch): JsonObject => mergePatch(raw, { data: { ...data }, binaryData: { ...binaryData } }) as JsonObject;
const parameters = encodeParameters({ day: 'monday' });

const text = fc.string({ unit: 'binary', maxLength: 20 }).map((any) => any.toWellFormed());
const json = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);
const outcome = fc.constantFrom('succeeded', 'failed', 'errored', 'notStarted', 'refused', 'skipped', 'omitted', 'cancelled' as const);
const time = fc.nat(2 ** 41);
const optional = { requiredKeys: ['job', 'at'] } as const;
const attempt = fc.record({ job: text, at: time, seen: fc.boolean(), ranAt: time, endedAt: time, outcome, reason: text, message: text, exitCode: fc.nat(255), verdict: text, memory: text, failedItems: fc.array(fc.nat(9)) }, { requiredKeys: [...optional.requiredKeys] });
const values = fc.dictionary(text, json, { maxKeys: 3 });
const item = fc.record({ outcome, reason: text, message: text, attempts: fc.array(attempt, { maxLength: 2 }), outputs: values }, { requiredKeys: ['attempts'] });
const step = fc.record({ outcome, reason: text, message: text, at: time, attempts: fc.array(attempt, { maxLength: 2 }), items: fc.array(item, { maxLength: 2 }), each: fc.record({ count: fc.nat(9), values: fc.array(json, { maxLength: 2 }) }, { requiredKeys: ['count'] }), outputs: values, from: text, inputs: text }, { requiredKeys: [] });
const steps = fc.dictionary(text, step, { maxKeys: 4 });
const stopping = fc.record({ mode: fc.constantFrom('stop', 'cancel', 'revert' as const), reason: text, message: text, at: time });
const end = fc.record({ outcome: fc.constantFrom('succeeded', 'failed', 'cancelled' as const), reason: text, message: text, at: time, failedSteps: fc.array(text, { maxLength: 2 }), outputs: values }, { requiredKeys: ['outcome', 'reason', 'message', 'at', 'failedSteps'] });
const runState: fc.Arbitrary<RunState> = fc.record({ startedAt: time, steps, undo: steps, stopping, end }, { requiredKeys: ['startedAt', 'steps', 'undo'] });

describe('round trips', () => {
  test('any state comes back as it was, in either form, over whichever form was there', () => {
    const large = runState.map((state): RunState => ({ ...state, steps: { ...state.steps, chatty: { message: 'x'.repeat(310_000) } } }));
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 3, arbitrary: runState }, { weight: 1, arbitrary: large }), { minLength: 1, maxLength: 3 }), (written) => {
        let raw = patched({}, parameters);
        for (const state of written) {
          raw = patched(raw, encodeState(state));
          expect(decodeContent(raw).state).toEqual(state);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('spec and files come back, whatever they hold and are called', () => {
    const key = fc.stringMatching(/^[-._a-zA-Z0-9]{1,20}$/);
    fc.assert(
      fc.property(text, fc.dictionary(key, text, { maxKeys: 5 }), (spec, files) => {
        const { 'spec.yaml': _spec, ...others } = files;
        const content = decodeContent(patched(patched({}, parameters), encodeData({ ...others, 'spec.yaml': spec })));
        expect(content.data).toEqual({ ...others, 'spec.yaml': spec });
        expect(content.files).toEqual(Object.keys(others).length === 0 ? undefined : others);
        expect(content).toMatchObject({ parameters: { day: 'monday' }, state: undefined });
      }),
    );
  });
});

test('a state of 2,000 steps takes far less than 1 MiB, and says so', () => {
  const { data, binaryData, bytes } = encodeState(aLargeState(2_000));
  expect(data).toEqual({ 'state.json': null });
  expect(bytes).toBe(Buffer.byteLength(binaryData['state.json.gz'] ?? '', 'base64') + 'state.json.gz'.length);
  expect(bytes).toBeLessThan(100_000);
});

test('a state with more messages than a record holds is written without them, and loses nothing else', () => {
  const long = (seed: string): string => ['a', 'b', 'c', 'd', 'e'].map((part) => createHash('sha512').update(seed + part).digest('hex')).join('');
  const attempt = (job: string) => ({ job, at: 1, outcome: 'failed' as const, exitCode: 1, verdict: 'Complete', message: long(job) });
  const steps = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`step-${index}`, { outcome: 'failed' as const, message: long(`s${index}`), outputs: { message: 'kept' }, attempts: [attempt(`etl-${index}-1`), attempt(`etl-${index}-2`)] }]));
  const content = encodeState({ startedAt: 1, steps, undo: {} });
  expect(content.bytes).toBeLessThan(300_000);
  const read = decodeContent(patched(aRawRecord(), content)).state;
  expect(read).toMatchObject({ startedAt: 1, steps: { 'step-7': { outcome: 'failed', outputs: { message: 'kept' }, attempts: [{ job: 'etl-7-1', outcome: 'failed', exitCode: 1 }, { job: 'etl-7-2' }] } } });
});

test('a small state is plain, and takes the large form away', () => {
  expect(encodeState(aRunState())).toMatchObject({ data: { 'state.json': JSON.stringify(aRunState()) }, binaryData: { 'state.json.gz': null } });
});

test('parts of one write are joined, and their bytes are added', () => {
  const parts = [encodeParameters({}), encodeData({ 'spec.yaml': 'x', 'run.sh': 'y' }), encodeState(aRunState())];
  const whole = joined(...parts);
  expect(Object.keys(whole.data).toSorted()).toEqual(['parameters.json', 'spec.yaml', 'state.json']);
  expect(Object.keys(whole.binaryData).toSorted()).toEqual(['files.json.gz', 'state.json.gz']);
  expect(whole.bytes).toBe(parts.reduce((sum, { bytes }) => sum + bytes, 0));
});

const zipped = (value: string): string => gzipSync(value).toString('base64');
test.each<[string, JsonObject, JsonObject]>([
  ['a state that is no JSON', { 'state.json': '{' }, {}],
  ['a state that is a text', { 'state.json': '"broken"' }, {}],
  ['a state without steps', { 'state.json': '{"startedAt":1}' }, {}],
  ['an outcome that does not exist', { 'state.json': '{"startedAt":1,"steps":{"a":{"outcome":"perfect"}},"undo":{}}' }, {}],
  ['attempts that are no list', { 'state.json': '{"startedAt":1,"steps":{"a":{"attempts":{}}},"undo":{}}' }, {}],
  ['both forms of a state', { 'state.json': '{"startedAt":1,"steps":{},"undo":{}}' }, { 'state.json.gz': zipped('{"startedAt":1,"steps":{},"undo":{}}') }],
  ['a compressed state that is not compressed', { 'state.json': null }, { 'state.json.gz': 'eA==' }],
  ['a compressed state that is no JSON', { 'state.json': null }, { 'state.json.gz': zipped('{') }],
  ['a compressed state that unfolds without end', { 'state.json': null }, { 'state.json.gz': zipped(`"${' '.repeat(20 * 1024 * 1024)}"`) }],
  ['a compressed state among the texts', { 'state.json': null, 'state.json.gz': 'eA==' }, {}],
  ['a state among the bytes', { 'state.json': null }, { 'state.json': 'eA==' }],
  ['no parameters', { 'parameters.json': null }, {}],
  ['parameters that are no mapping', { 'parameters.json': '[]' }, {}],
  ['files that are not compressed', {}, { 'files.json.gz': 'eA==' }],
  ['a file that is no text', {}, { 'files.json.gz': zipped('{"run.sh":1}') }],
])('broken: %s', (_name, data, binaryData) => {
  const raw = mergePatch(aRawRecord(), { data, binaryData }) as JsonObject;
  expect(decodeContent(raw).state).toBe('broken');
});

test('fields that a later version wrote are let through', () => {
  const state = { startedAt: 1, steps: { a: { mood: 'fine' } }, undo: {}, weather: 'rain' };
  expect(decodeContent(aRawRecord({}, { 'state.json': JSON.stringify(state) })).state).toEqual(state);
});

test('garbage anywhere never throws', () => {
  fc.assert(
    fc.property(garbled({ ...aRawRecord(), binaryData: { 'files.json.gz': zipped('{"a":"b"}') } }), (raw) => {
      const content = decodeContent(raw);
      expect(['undefined', 'object']).toContain(typeof content.data);
      expect(Object.values(content.data ?? {}).every((value) => typeof value === 'string')).toBe(true);
      expect(content.state === undefined || content.state === 'broken' || typeof content.state.startedAt === 'number').toBe(true);
      expect(objectAt({ parameters: content.parameters }, 'parameters')).toBe(content.parameters);
    }),
    { numRuns: 1000 },
  );
});

/** The compiler holds the schemas to the contracts: what a plan may write, the codec must be able to read. */
type Frozen<Value> = Value extends Json ? Value extends (infer Item)[] ? readonly Frozen<Item>[] : Value extends object ? { readonly [Key in keyof Value]: Frozen<Value[Key]> } : Value : Value;
export const readable: {
  readonly state: (value: RunState) => Frozen<Static<typeof stateSchema>>;
  readonly request: (value: RunRequest) => Frozen<Static<typeof requestSchema>>;
  readonly result: (value: RunResult) => Frozen<Static<typeof resultSchema>>;
} = { state: (value) => value, request: (value) => value, result: (value) => value };
