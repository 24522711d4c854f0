import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../src/lib/json.ts';
import { renderParameters } from '../../../src/spec/message-parameters.ts';
import type { MessageValues } from '../../../src/spec/message-text.ts';
import { requestFindings } from '../../../src/spec/request-values.ts';
import type { ParameterSpec, ValueType } from '../../../src/spec/workflow.ts';
import { aQueue, codes, parse, validQueue } from './input.ts';

const template = 'template: thumbnail';

/** `CODE path: message | hint` of each problem. */
function told(...lines: readonly string[]): string[] {
  return parse(aQueue(...lines)).problems.map(({ code, path, message, hint }) => `${code} ${path ?? ''}: ${message} | ${hint ?? ''}`);
}

describe('a Queue whose messages start runs', () => {
  it.each<[what: string, line: string, target: object]>([
    ['of a template', 'template: thumbnail', { kind: 'template', name: 'thumbnail' }],
    ['of a workflow', 'workflow: nightly.etl', { kind: 'workflow', name: 'nightly.etl' }],
  ])('names what they are runs %s', (_, line, target) => {
    const spec = validQueue(aQueue(line, 'perMessage: {parameters: {url: $(message.body.url), wide: 3}}'));
    expect(spec).toMatchObject({ mode: 'perMessage', jobTemplate: {}, run: { target, parameters: { url: '$(message.body.url)', wide: 3 } }, concurrency: { max: 10 } });
  });

  it('has no Job, whatever the operator sets for Jobs', () => {
    expect(validQueue(aQueue(template, 'perMessage: {}'), {}, { jobDefaults: { labels: { team: 'a' } } })).toMatchObject({ jobTemplate: {}, run: { parameters: {} } });
  });

  it('starts nothing else where it starts Jobs', () => {
    expect(validQueue(aQueue('perMessage: {}'))).toMatchObject({ run: undefined });
  });

  it.each<[what: string, lines: readonly string[], problems: readonly string[]]>([
    ['a template and a workflow', [template, 'workflow: w', 'perMessage: {}'], ['ConflictingFields workflow: "template" and "workflow" are both set, exactly one must be | remove one of the two']],
    ['a job and a template', [template, 'job: {image: x}', 'perMessage: {}'], ['ConflictingFields template: "job" and "template" are both set, exactly one must be | remove one of the two']],
    ['drain', [template, 'drain: {}'], ['ConflictingFields template: "template" does not go with "drain": a run is started for one message | use perMessage, or job in place of it']],
    ['a payload', [template, 'perMessage: {payload: {env: A}}'], ['ConflictingFields perMessage.payload: "payload" does not go with "template": the Queue has no Job of its own | hand what the run needs of the message on as perMessage.parameters']],
    ['variables', ['workflow: w', 'perMessage: {env: {A: b}}'], ['ConflictingFields perMessage.env: "env" does not go with "workflow": the Queue has no Job of its own | hand what the run needs of the message on as perMessage.parameters']],
    ['the connection', [template, 'perMessage: {}', 'injectConnection: true'], ['ConflictingFields injectConnection: "injectConnection" does not go with "template": the Queue has no Job of its own | name the Secret of the connection in the template, as secretKeyRef']],
    ['a timeout', ['workflow: w', 'perMessage: {}', 'timeout: 3m'], ['ConflictingFields timeout: "timeout" does not go with "workflow": the Queue has no Job of its own | set timeout in the steps of the workflow']],
    ['a startTimeout', [template, 'perMessage: {}', 'startTimeout: 3m'], ['ConflictingFields startTimeout: "startTimeout" does not go with "template": the Queue has no Job of its own | set startTimeout in the template']],
    ['labels of Jobs', [template, 'perMessage: {}', 'jobMetadata: {labels: {a: b}}'], ['ConflictingFields jobMetadata: "jobMetadata" does not go with "template": the Queue has no Job of its own | set jobMetadata in the template']],
    ['labels of pods', ['workflow: w', 'perMessage: {}', 'podMetadata: {labels: {a: b}}'], ['ConflictingFields podMetadata: "podMetadata" does not go with "workflow": the Queue has no Job of its own | set podMetadata in the workflow']],
    ['what to do with Jobs of an older text', [template, 'perMessage: {}', 'onSpecChange: replace'], ['ConflictingFields onSpecChange: "onSpecChange" does not go with "template": a run goes on with the text that it began with | remove it']],
    ['what to do with Jobs at its end', [template, 'perMessage: {}', 'onSpecDelete: delete'], ['ConflictingFields onSpecDelete: "onSpecDelete" does not go with "template": a run that was started goes on when the Queue is deleted | remove it']],
    ['retention', [template, 'perMessage: {}', 'retention: {failed: {count: 3}}'], ['ConflictingFields retention: "retention" does not go with "template": the Queue has no Job of its own | set retention in the template']],
    ['a group', [template, 'perMessage: {}', 'concurrency: {max: 3, group: gpu}'], ['ConflictingFields concurrency.group: "concurrency.group" does not go with "template": the Queue has no Job of its own | set concurrency.group in the template']],
    ['exit codes', [template, 'perMessage: {retry: {exitCodes: {retry: [1]}}}'], ['ConflictingFields perMessage.retry.exitCodes: "exitCodes" does not go with "template": a run has no containers | set it in the template']],
  ])('is refused %s', (_, lines, problems) => {
    expect(told(...lines)).toEqual(problems);
  });

  it.each<[what: string, lines: readonly string[], problems: readonly string[]]>([
    ['parameters without runs', ['perMessage: {parameters: {a: b}}'], ['ConflictingFields perMessage.parameters: "parameters" is for messages that start runs, and neither "template" nor "workflow" is set | a Job gets values of the message through perMessage.env']],
    ['parameters at the top', [template, 'perMessage: {}', 'parameters: {}'], ['UnsupportedField parameters: "parameters" is not supported by this version, which supports perMessage.parameters | use perMessage.parameters']],
    ['a template in perMessage', ['job: {image: x}', 'perMessage: {template: a}'], ['UnsupportedField perMessage.template: "template" is not supported by this version, which supports template | use template']],
    ['a name that is none', ['template: A B', 'perMessage: {}'], ['InvalidValue template: must be lower-case letters, digits, hyphens and dots, at most 253, and start and end with a letter or digit, is "A B" | ']],
    ['a part that messages do not have', [template, 'perMessage: {parameters: {a: [$(message.bdy)]}}'], ['UnknownReference perMessage.parameters.a[0]: a message has no "bdy" | did you mean "body"?']],
    ['references to parameters', [template, 'perMessage: {parameters: {a: $(params.x)}}'], ['UnknownReference perMessage.parameters.a: $(params.x) names nothing: a Queue has no parameters, steps, items or runs | references to the message are for perMessage.parameters; where the text itself must reach the container write $$(params.x)']],
    ['references elsewhere', [template, 'perMessage: {deadLetter: {queue: $(message.id)}}'], ['UnknownReference perMessage.deadLetter.queue: $(message.id) is not replaced here: references to the message stand in perMessage.parameters | write perMessage: {parameters: {NAME: $(message.id)}}']],
    ['neither Job nor run', ['job:', 'perMessage: {}'], ['WrongType job: must be a mapping, has no value | give it a value or remove the field']],
  ])('is told of %s', (_, lines, problems) => {
    expect(told(...lines)).toEqual(problems);
  });

  it('is told where nothing says what a message becomes', () => {
    expect(codes(parse('apiVersion: job-chief/v1\nkind: Queue\nsource: {pgBoss: {connection: main, queue: a}}\nperMessage: {}\n'))).toEqual(['MissingField job']);
  });
});

const body: Json = { url: 'https://x/y', width: 512, tags: ['a', 'b'], nothing: null, deep: { __proto__: 1, constructor: 'c' }, text: '$(params.a) $(message.id) $$' };
const message: MessageValues = { id: 'm-1', attempt: 2, sha256: 'ab12', headers: { width: '512', ratio: '1.5', gray: 'true', odd: '5x', blank: '' }, body: () => body };
const declare = (types: Readonly<Record<string, ValueType>>): Readonly<Record<string, ParameterSpec>> => Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type, schema: { type }, default: undefined, optional: false }]));
const render = (parameters: JsonObject, types: Readonly<Record<string, ValueType>> = {}, changes: Partial<MessageValues> = {}): unknown => renderParameters(parameters, declare(types), { ...message, ...changes });

describe('parameters of a run that a message starts', () => {
  it.each<[what: string, given: Json, expected: Json]>([
    ['a text is a text', '$(message.body.url)', 'https://x/y'],
    ['a number stays a number', '$(message.body.width)', 512],
    ['a list stays a list', '$(message.body.tags)', ['a', 'b']],
    ['null stays null', '$(message.body.nothing)', null],
    ['the whole body', '$(message.body)', body],
    ['a reference among other text is text', 'w=$(message.body.width) $(message.body.tags)', 'w=512 ["a","b"]'],
    ['references inside lists and mappings', { a: ['$(message.attempt)', { b: '$(message.id)' }] }, { a: [2, { b: 'm-1' }] }],
    ['what is inserted is not read again', '$(message.body.text)', '$(params.a) $(message.id) $$'],
    ['own fields of any name', '$(message.body.deep.constructor)', 'c'],
    ['what is no reference stays as it is', '$(HOME) $$(message.id) $(cat x)', '$(HOME) $$(message.id) $(cat x)'],
    ['values without references stay as they are', [1, true, null, '5'], [1, true, null, '5']],
  ])('%s', (_, given, expected) => {
    expect(render({ a: given })).toEqual({ parameters: { a: expected } });
  });

  it.each<[what: string, given: string, type: ValueType, expected: unknown]>([
    ['a whole number', '$(message.headers.width)', 'integer', 512],
    ['a number', '$(message.headers.ratio)', 'number', 1.5],
    ['true', '$(message.headers.gray)', 'boolean', true],
    ['a text that stays one', '$(message.headers.width)', 'string', '512'],
    ['a text of several parts', '$(message.headers.width)0', 'integer', 5120],
  ])('reads %s from a header, as it is declared', (_, given, type, expected) => {
    expect(render({ a: given }, { a: type })).toEqual({ parameters: { a: expected } });
  });

  it.each<[what: string, given: Json, type: ValueType, problem: string]>([
    ['a text that is no whole number', '$(message.headers.odd)', 'integer', 'the parameter "a" cannot be made: the text is not a whole number'],
    ['a fraction for a whole number', '$(message.headers.ratio)', 'integer', 'the parameter "a" cannot be made: the text is not a whole number'],
    ['an empty text', '$(message.headers.blank)', 'number', 'the parameter "a" cannot be made: the text is not a number'],
    ['a text that is neither true nor false', '$(message.headers.odd)', 'boolean', 'the parameter "a" cannot be made: the text is not true or false'],
    ['a header that is missing', '$(message.headers.none)', 'string', 'the parameter "a" cannot be made: $(message.headers.none) leads nowhere: the message has no header "none"'],
    ['what nothing has but its prototype', '$(message.body.toString)', 'string', 'the parameter "a" cannot be made: $(message.body.toString) leads nowhere: the body has no "toString"'],
  ])('are none with %s', (_, given, type, problem) => {
    expect(render({ a: given }, { a: type })).toEqual({ problem });
  });

  it('are none where the body is no JSON', () => {
    expect(render({ a: '$(message.body.x)' }, {}, { body: () => undefined })).toEqual({ problem: 'the parameter "a" cannot be made: $(message.body.x) leads nowhere: the body of the message is no JSON' });
  });

  it('are none where a value is nested too deeply for anybody to look at', () => {
    let deep: Json = 1;
    for (let level = 0; level < 10_000; level += 1) deep = [deep];
    expect(render({ a: '$(message.body)' }, {}, { body: () => deep })).toEqual({ problem: 'the parameter "a" cannot be made: $(message.body) is nested deeper than 256 levels' });
  });

  it('keep a name that means something to JavaScript from doing so', () => {
    const made = renderParameters(JSON.parse('{"__proto__": "$(message.id)", "constructor": 1}') as JsonObject, {}, message);
    expect(JSON.stringify(made)).toBe('{"parameters":{"__proto__":"m-1","constructor":1}}');
    expect('parameters' in made && requestFindings({}, made.parameters).map(({ message: text }) => text)).toEqual(['there is no parameter "__proto__"', 'there is no parameter "constructor"']);
  });

  it('leave what stands in the spec as it was written', () => {
    expect(render({ a: '512' }, { a: 'integer' })).toEqual({ parameters: { a: '512' } });
  });
});
