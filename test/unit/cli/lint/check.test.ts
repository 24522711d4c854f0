import { describe, expect, it } from 'vitest';
import { checkSources } from '../../../../src/cli/lint/check.ts';
import type { SourceText } from '../../../../src/cli/lint/files.ts';
import type { LintResult } from '../../../../src/cli/lint/result.ts';

const spec = (...lines: readonly string[]): string =>
  ['apiVersion: job-chief/v1', 'kind: Queue', 'source: {pgBoss: {connection: main, queue: q}}', 'drain: {}', ...lines, ''].join('\n');
const indented = (text: string, blanks: number): string => text.replace(/^(?=.)/gm, ' '.repeat(blanks));

interface ConfigMapOptions {
  readonly name?: string;
  readonly label?: string;
  readonly metadata?: readonly string[];
}

/** A ConfigMap whose spec stands in a literal block. */
function aConfigMap(text: string, { name = 'thumbnails', label = '  labels: {job-chief: queue}', metadata = [] }: ConfigMapOptions = {}): string {
  return ['apiVersion: v1', 'kind: ConfigMap', 'metadata:', `  name: ${name}`, ...(label === '' ? [] : [label]), ...metadata, 'data:', '  spec.yaml: |', indented(text, 4)].join('\n');
}

const source = (text: string, name = 'a.yaml', explicit = true): SourceText => ({ name, text, explicit });
const check = (...sources: readonly (string | SourceText)[]): LintResult => checkSources(sources.map((one) => (typeof one === 'string' ? source(one) : one)), {});
const told = ({ problems }: LintResult): string[] => problems.map(({ code, path, position }) => `${position?.file ?? ''}:${position?.line ?? 0}:${position?.column ?? 0} ${code}${path === undefined ? '' : ` ${path}`}`);

describe('what is a spec', () => {
  const good = spec('job: {image: x}');
  const cases: readonly [what: string, sources: readonly (string | SourceText)[], specs: readonly string[]][] = [
    ['a spec file, named by itself', [good], ['a']],
    ['a spec file in a folder', [source(good, 'queues/thumbnails.yaml', false)], ['thumbnails']],
    ['a spec file as JSON', [source(JSON.stringify({ apiVersion: 'job-chief/v1', kind: 'Queue', source: { pgBoss: { connection: 'a', queue: 'b' } }, drain: {}, job: { image: 'x' } }), 'b.json', false)], ['b']],
    ['standard input', [source(good, '-')], ['stdin']],
    ['a labelled ConfigMap', [aConfigMap(good)], ['thumbnails']],
    ['every labelled ConfigMap of a stream', [`---\n${aConfigMap(good, { name: 'a' })}---\n${aConfigMap(good, { name: 'b' })}`], ['a', 'b']],
    ['the ConfigMaps of a List', [`apiVersion: v1\nkind: List\nitems:\n- ${indented(aConfigMap(good), 2).trimStart()}`], ['thumbnails']],
    ['ConfigMaps as kubectl prints them in JSON', [JSON.stringify({ kind: 'List', items: [{ kind: 'ConfigMap', metadata: { name: 'c', labels: { 'job-chief': 'queue' } }, data: { 'spec.yaml': good } }] })], ['c']],
    ['a spec among manifests', [`kind: Service\nmetadata: {name: x}\n---\n${good}`], ['a']],
    ['not a ConfigMap without the label', ['kind: ConfigMap\nmetadata: {name: a}\ndata: {x: job-chief}\n'], []],
    ['not a record that job-chief writes', [aConfigMap('state: {}', { label: '  labels: {job-chief-record: run}' })], []],
    ['not other manifests', ['kind: Deployment\nmetadata: {name: job-chief}\n'], []],
    ['not other YAML, broken or not', [source('a: [', 'b.yaml'), source('values: 1', 'c.yaml')], []],
  ];
  it.each(cases)('%s', (_what, sources, specs) => {
    const result = check(...sources);
    expect(result.specs.map(({ name }) => name)).toEqual(specs);
    expect(told(result)).toEqual([]);
  });

  it('a file with a kind of ours but no apiVersion', () => {
    expect(told(check(good.replace('apiVersion: job-chief/v1\n', '')))).toEqual(['a.yaml:1:1 MissingField apiVersion']);
  });

  it('an empty file that the user names', () => {
    expect(told(check(''))).toEqual(['a.yaml:1:1 EmptySpec']);
    expect(told(check(source('', 'a.yaml', false)))).toEqual([]);
  });

  it('a file with broken syntax that names our apiVersion', () => {
    expect(told(check(`${good}x: [\n`))).toEqual(['a.yaml:7:1 InvalidYaml']);
  });
});

describe('places in the file', () => {
  const bad = spec('job:', '  imag: x');
  const cases: readonly [what: string, text: string, expected: readonly string[]][] = [
    ['of a spec file', bad, ['a.yaml:6:3 UnknownField job.imag']],
    ['behind comments and ---', `# c\n---\n${bad}`, ['a.yaml:8:3 UnknownField job.imag']],
    ['in a literal block', aConfigMap(bad), ['a.yaml:13:7 UnknownField job.imag']],
    ['in |-', aConfigMap(bad).replace('|', '|-'), ['a.yaml:13:7 UnknownField job.imag']],
    ['in |+ with a comment', aConfigMap(bad).replace('|', '|+ # keep'), ['a.yaml:13:7 UnknownField job.imag']],
    ['in |2 with more blanks than it says', aConfigMap(indented(bad, 3)).replace('|', '|4'), ['a.yaml:13:10 UnknownField job.imag']],
    ['below blank lines', aConfigMap(bad).replace('|\n', '|\n\n   \n'), ['a.yaml:15:7 UnknownField job.imag']],
    ['with Windows line ends', aConfigMap(bad).replaceAll('\n', '\r\n'), ['a.yaml:13:7 UnknownField job.imag']],
    ['in the second document', `kind: Service\n---\n${aConfigMap(bad)}`, ['a.yaml:15:7 UnknownField job.imag']],
    ['in a List', `kind: List\nitems:\n- ${indented(aConfigMap(bad), 2).trimStart()}`, ['a.yaml:15:9 UnknownField job.imag']],
    ['of a spec among manifests', `kind: Service\n---\n${bad}`, ['a.yaml:8:3 UnknownField job.imag']],
    ['of broken YAML in the block', aConfigMap(spec('job: {image: [x}')), ['a.yaml:12:20 InvalidYaml']],
    ['of tabs in the block', aConfigMap(spec('job:', '\timage: x')), ['a.yaml:13:5 TabIndentation']],
    ['of a missing spec', 'kind: Service\n---\nkind: ConfigMap\nmetadata: {name: a, labels: {job-chief: queue}}\n', ['a.yaml:3:1 EmptySpec']],
  ];
  it.each(cases)('%s', (_what, text, expected) => {
    expect(told(check(text))).toEqual(expected);
  });

  it.each([
    ['folded', aConfigMap(bad).replace('|', '>')],
    ['quoted', `kind: ConfigMap\nmetadata: {name: a, labels: {job-chief: queue}}\ndata:\n  spec.yaml: ${JSON.stringify(bad)}\n`],
    ['single quoted', `kind: ConfigMap\nmetadata: {name: a, labels: {job-chief: queue}}\ndata:\n  spec.yaml: '${bad.replaceAll('\n', '\n\n    ')}'\n`],
  ])('are those of the value where the text is %s, and the hint tells the line inside', (what, text) => {
    const { problems } = check(text);
    const line = text.split('\n').findIndex((one) => one.startsWith('  spec.yaml:')) + 1;
    expect(problems.length).toBeGreaterThan(0);
    for (const { position, hint } of problems) {
      expect(position).toMatchObject({ line, column: 14 });
      expect(hint).toMatch(/line \d+, column \d+ of the text; with a literal block \(spec\.yaml: \|\)/);
    }
    if (what === 'quoted') expect(problems[0]?.hint).toContain('line 6, column 3');
  });
});

describe('problems of manifests', () => {
  const good = spec('job: {image: x}');
  const cases: readonly [what: string, text: string, expected: readonly string[]][] = [
    ['a spec without the label', aConfigMap(good, { label: '' }), ['a.yaml:1:1 MissingLabel']],
    ['a spec written as a mapping', `kind: ConfigMap\nmetadata: {name: a, labels: {job-chief: queue}}\ndata:\n  spec.yaml:\n    ${indented(good, 4).trimStart()}`, ['a.yaml:5:5 WrongType']],
    ['a label of another kind', aConfigMap(good, { label: '  labels: {job-chief: workflow}' }), ['a.yaml:9:11 LabelMismatch kind']],
    ['the same key twice', 'kind: ConfigMap\nkind: ConfigMap\nmetadata: {labels: {job-chief: queue}}\n', ['a.yaml:2:1 InvalidYaml']],
    ['templates that were not rendered', `{{- if .Values.enabled }}\n${aConfigMap(good)}`, ['a.yaml:1:3 InvalidYaml']],
    ['Flux text without the annotation', aConfigMap(spec('job: {image: "${X}"}')), ['a.yaml:12:18 FluxSubstitution job.image']],
    ['Flux text with the annotation', aConfigMap(spec('job: {image: "${X}"}'), { metadata: ['  annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}'] }), []],
    ['a number as the value of data', 'kind: ConfigMap\nmetadata: {name: a, labels: {job-chief: queue}}\ndata: {spec.yaml: 5}\n', ['a.yaml:3:19 NotAMapping']],
    ['no data at all', 'kind: ConfigMap\nmetadata: {name: a, labels: {job-chief: queue}}\ndata:\n', ['a.yaml:1:1 EmptySpec']],
  ];
  it.each(cases)('%s', (_what, text, expected) => {
    expect(told(check(text))).toEqual(expected);
  });
});

describe('names that are given twice', () => {
  const good = spec('job: {image: x}');
  const cases: readonly [what: string, sources: readonly (string | SourceText)[], expected: readonly string[]][] = [
    ['in one stream', [`${aConfigMap(good)}---\n${aConfigMap(good)}`], ['a.yaml:21:5 DuplicateName']],
    ['in two files', [source(spec('job: {image: x}', 'name: same'), 'b.yaml'), source(spec('job: {image: x}', 'name: same'), 'c.yaml')], ['c.yaml:1:1 DuplicateName']],
    ['by the name of a file and of a ConfigMap', [source(good, 'x/thumbnails.yaml'), source(aConfigMap(good), 'cm.yaml')], ['cm.yaml:8:5 DuplicateName']],
    ['three times', [good, source(good, 'x/a.yaml'), source(good, 'y/a.yaml')], ['x/a.yaml:1:1 DuplicateName', 'y/a.yaml:1:1 DuplicateName']],
    ['in two namespaces is fine', [aConfigMap(good, { metadata: ['  namespace: a'] }), source(aConfigMap(good, { metadata: ['  namespace: b'] }), 'b.yaml')], []],
    ['in two instances is fine', [aConfigMap(good), source(aConfigMap(good, { label: '  labels: {job-chief: queue, job-chief/instance: blue}' }), 'b.yaml')], []],
    ['in the default instance by name and by default', [aConfigMap(good), source(aConfigMap(good, { label: '  labels: {job-chief: queue, job-chief/instance: default}' }), 'b.yaml')], ['b.yaml:8:5 DuplicateName']],
  ];
  it.each(cases)('%s', (_what, sources, expected) => {
    expect(told(check(...sources))).toEqual(expected);
  });

  it('name the other place', () => {
    expect(check(good, source(good, 'x/a.yaml')).problems[0]?.message).toBe('another spec is named "a" too, at a.yaml:1');
  });
});

describe('groups', () => {
  const inGroup = (group: string, name = 'q.yaml'): SourceText => source(spec('job: {image: x}', `concurrency: {group: ${group}}`), name);
  const limits = (groups: string, name = 'limits.yaml'): SourceText => source(`apiVersion: job-chief/v1\nkind: Limits\ngroups: {${groups}}\n`, name);
  const cases: readonly [what: string, sources: readonly SourceText[], expected: readonly string[]][] = [
    ['that a Limits has are fine', [inGroup('gpu'), limits('gpu: 4')], []],
    ['that one of several Limits has are fine', [limits('cpu: 1', 'other.yaml'), inGroup('gpu'), limits('gpu: 4')], []],
    ['that no Limits has are warned about', [inGroup('gpus'), limits('gpu: 4')], ['q.yaml:1:1 UnknownGroup concurrency.group']],
    ['are not known where there is no Limits', [inGroup('gpu')], []],
    ['of another namespace are not known', [inGroup('gpu'), source(aConfigMap('apiVersion: job-chief/v1\nkind: Limits\n', { label: '  labels: {job-chief: limits}', metadata: ['  namespace: b'] }), 'b.yaml')], []],
  ];
  it.each(cases)('%s', (_what, sources, expected) => {
    expect(told(check(...sources))).toEqual(expected);
  });

  it('are guessed', () => {
    const [problem] = check(inGroup('gpus'), limits('gpu: 4')).problems;
    expect([problem?.severity, problem?.message, problem?.hint]).toEqual(['warning', 'no Limits here has the group "gpus": until one has, the spec starts nothing', 'did you mean "gpu"?']);
  });
});

describe('messages that are held while their Jobs run', () => {
  const pgBoss = 'source: {pgBoss: {connection: main, queue: q}}';
  const amqp = 'source: {amqp: {connection: rabbit, queue: q}}';
  const sqs = 'source: {sqs: {connection: aws, queue: q}}';
  const queue = (from: string, ...lines: readonly string[]): string => `${['apiVersion: job-chief/v1', 'kind: Queue', from, 'job: {image: x}', ...lines].join('\n')}\n`;
  const each = 'perMessage: {deadLetter: {queue: dead}}';
  const cases: readonly [what: string, text: string, expected: readonly string[]][] = [
    ['for ever', queue(pgBoss, each), ['a.yaml:5:1 LeaseTooShort perMessage']],
    ['for longer than pg-boss lets them, with the usual startTimeout', queue(pgBoss, each, 'timeout: 5m'), ['a.yaml:6:10 LeaseTooShort timeout']],
    ['as long as pg-boss lets them, and no shorter', queue(pgBoss, each, 'startTimeout: 5m', 'timeout: 10m'), ['a.yaml:7:10 LeaseTooShort timeout']],
    ['less long', queue(pgBoss, each, 'startTimeout: 5m', 'timeout: 9m59s'), []],
    ['for all tries together', queue(pgBoss, 'perMessage: {retry: {attempts: 3, delay: 1m, factor: 1}}', 'startTimeout: 1m', 'timeout: 4m'), ['a.yaml:7:10 LeaseTooShort timeout']],
    ['as long as RabbitMQ lets them', queue(amqp, each, 'timeout: 14m'), []],
    ['for longer than RabbitMQ lets them', queue(amqp, each, 'timeout: 15m'), ['a.yaml:6:10 LeaseTooShort timeout']],
    ['for ever, by SQS', queue(sqs, 'perMessage: {}'), []],
    ['no longer than until the Job is there', queue(pgBoss, 'perMessage: {settle: onJobCreated}'), []],
    ['by the workers themselves', queue(pgBoss, 'drain: {}'), []],
  ];
  it.each(cases)('%s', (_what, text, expected) => {
    expect(told(check(text))).toEqual(expected);
  });

  it('are warned about with what to change', () => {
    const tell = (text: string): unknown[] => check(text).problems.map(({ severity, message, hint }) => [severity, message, hint]);
    expect(tell(queue(amqp, each))).toEqual([
      ['warning', 'a message can be held for 30m, unless consumer_timeout of RabbitMQ says otherwise, and without a timeout its Job may take longer: nothing would be taken from the queue', 'set timeout, and with it startTimeout, raise consumer_timeout of RabbitMQ, or set settle: onJobCreated'],
    ]);
    expect(tell(queue(pgBoss, each, 'timeout: 5m'))).toEqual([
      ['warning', 'a message can be held for 15m, unless expireInSeconds of the queue says otherwise, and startTimeout and timeout come to 20m: nothing would be taken from the queue', 'lower timeout or startTimeout, raise expireInSeconds of the queue, or set settle: onJobCreated'],
    ]);
  });
});

describe('one bad spec', () => {
  it('affects only itself', () => {
    const result = check(`${aConfigMap('a: [', { name: 'bad' })}\n---\n${aConfigMap(spec('job: {image: x}'), { name: 'good' })}`);
    expect(result.specs.map(({ name, spec: parsed }) => [name, parsed !== undefined])).toEqual([['bad', false], ['good', true]]);
  });
});
