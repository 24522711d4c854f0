/** Values of a request, through a whole template to the Job: whatever they hold, they stay in their place. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrayAt, isObject, objectAt, stringAt, type Json, type JsonObject } from '../../../../src/lib/json.ts';
import { requestFindings } from '../../../../src/spec/request-values.ts';
import type { WorkflowSpec } from '../../../../src/spec/workflow.ts';
import { RunWorld } from '../../../support/run-builders.ts';
import { aTemplate, validTemplate } from '../../spec/template/input.ts';

const spec = validTemplate(aTemplate(
  'parameters: {text: {type: string}, any: {type: object, default: {}}, list: {type: array, default: []}, constructor: {type: string, default: c}, flag: {type: boolean, default: false}, number: {type: integer, default: 1}}',
  'job:',
  '  image: busybox:1.37',
  '  command: [run, $(params.text), "--name=$(params.text)!", $(params.any), "$(params.any)-$(params.list)", $(params.constructor), $(params.flag), $(params.number)]',
  '  env: [{name: TEXT, value: $(params.text)}, {name: FIXED, value: "$(TEXT) $$(params.text)"}]',
  '  workingDir: /data/$(params.text)',
  '  priorityClassName: $(params.text)',
  '  parallelism: $(params.number)',
  'outputs: {bytes: {type: integer, default: 0}}',
));

/** The Job that the first round makes; undefined: the step failed instead. */
function jobFor(parameters: JsonObject, of: WorkflowSpec = spec): JsonObject | undefined {
  const world = new RunWorld(of, { request: { trigger: 'request' } });
  world.parameters = parameters;
  const [action] = world.round().actions;
  return action?.kind === 'createStepJob' ? action.manifest : undefined;
}

const podOf = (job: JsonObject | undefined): JsonObject => objectAt(objectAt(objectAt(job, 'spec'), 'template'), 'spec');
const containerOf = (job: JsonObject | undefined): JsonObject => arrayAt(podOf(job), 'containers')[0] as JsonObject;

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : 'no text');

/** As the kubelet expands command, args and env with these variables. */
function expanded(text: string, variables: Readonly<Record<string, string>> = {}): string {
  return text.replaceAll(/\$\$|\$\(([^)]*)\)/g, (all, name: string | undefined) => (name === undefined ? '$' : Object.hasOwn(variables, name) ? (variables[name] ?? all) : all));
}

/** The tree with every text replaced: what is left is its shape. */
function shape(value: Json): Json {
  if (typeof value === 'string') return '';
  if (Array.isArray(value)) return value.map(shape);
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, entry === undefined ? undefined : shape(entry)])) : value;
}

const nasty = ['__proto__', 'constructor', '$(params.any)', '$(HOME)', '$$(HOME)', '$', '\\$', '"', "'", '`', '{', '}', '{{x}}', '${X}', '\n', '\r\n', '\t', '\u0000', '\u2028', '- a: b', 'a: {b: c}', '[1, 2]', '{"image": "evil"}', '#', '---', '...', '&a', '*a', '!!str', '%', '|', '>', ' ', 'ä', '😀', '\ud800', ';', '$(cat /etc/passwd)', 'true', 'null', '0x10'];
const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.constantFrom(...nasty), { maxLength: 6 }).map((all) => all.join('')));
const anything = fc.jsonValue({ stringUnit: 'binary' });

describe('values of a request', () => {
  it('arrive as they are, and change nothing else', () => {
    const plain = jobFor({ text: 'plain', any: { a: 1 }, list: [1] });
    fc.assert(fc.property(texts, fc.dictionary(texts, anything, { noNullPrototype: true }), fc.array(anything), (text, any, list) => {
      const job = jobFor({ text, any, list });
      expect(shape(job ?? null)).toEqual(shape(plain ?? null));
      const container = containerOf(job);
      const command = arrayAt(container, 'command').map(textOf).map((one) => expanded(one));
      expect(command).toEqual(['run', text, `--name=${text}!`, JSON.stringify(any), `${JSON.stringify(any)}-${JSON.stringify(list)}`, 'c', 'false', '1']);
      const env = new Map(arrayAt(container, 'env').map((entry) => [stringAt(entry, 'name'), stringAt(entry, 'value') ?? '']));
      expect(expanded(env.get('TEXT') ?? '')).toBe(text);
      expect(env.get('FIXED')).toBe('$(TEXT) $$(params.text)');
      // Kubernetes expands nothing there.
      expect([container['workingDir'], podOf(job)['priorityClassName']]).toEqual([`/data/${text}`, text]);
    }), { numRuns: 500 });
  });

  it('of a megabyte are one value like any other', () => {
    const text = `${'x'.repeat(1_048_576)}"}$(HOME)`;
    expect(expanded(textOf(arrayAt(containerOf(jobFor({ text })), 'command')[1]))).toBe(text);
  });

  it('that no field takes are an error of the step, which names the parameter', () => {
    const world = new RunWorld(spec, { request: { trigger: 'request' } });
    world.parameters = { text: 'a', number: 'many' };
    world.settle();
    expect(world.state.steps['job']).toMatchObject({ outcome: 'errored', reason: 'ReferenceInvalid', message: expect.stringContaining('$(params.number)') as string });
  });

  it('under names that every object has are missing like any other', () => {
    const odd = validTemplate(aTemplate('parameters: {constructor: {type: string}, toString: {type: string, optional: true}}', 'job: {image: a, args: [$(params.constructor), $(params.toString)]}'));
    const world = new RunWorld(odd, { request: { trigger: 'request' } });
    world.settle();
    expect(world.state.steps['job']).toMatchObject({ outcome: 'errored', message: expect.stringContaining('$(params.constructor) has no value') as string });
    expect(requestFindings(odd.parameters, {})).toMatchObject([{ path: ['constructor'] }]);
    const [, args] = [world, arrayAt(containerOf(jobFor(JSON.parse('{"constructor": "c", "toString": "t"}') as JsonObject, odd)), 'args')];
    expect(args).toEqual(['c', 't']);
  });

  it('that nobody declared are refused, and change no prototype', () => {
    const values = JSON.parse('{"text": "a", "__proto__": {"polluted": true}}') as JsonObject;
    expect(requestFindings(spec.parameters, values)).toMatchObject([{ code: 'UnknownField', path: ['__proto__'] }]);
    jobFor(values);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
