import { describe, expect, it } from 'vitest';
import { codes } from '../workflow/input.ts';
import { aTemplate, parseTemplate } from './input.ts';

const declared = 'parameters: {size: {type: integer}, label: {type: string}}';

describe('problems of a Template', () => {
  const cases: readonly [what: string, lines: readonly string[], expected: readonly string[]][] = [
    ['no job at all', ['job: {}'], ['MissingField job.image']],
    ['two jobs', ['job: {image: a}', 'jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: b}]}}}}'], ['ConflictingFields jobTemplate']],
    ['a file that is not there', ['jobFile: load.yaml'], ['UnknownFile jobFile']],
    ['mounts into a Job of a file', ['jobFile: load.yaml', 'files: {/a: b}'], ['UnknownFile jobFile', 'ConflictingFields files', 'UnknownFile files["/a"]']],
    ['a field of a Workflow', ['steps: []'], ['RefusedField steps']],
    ['a trigger', ['trigger: {onRequest: true}'], ['RefusedField trigger']],
    ['what becomes of accepted runs', ['onSpecDelete: delete'], ['RefusedField onSpecDelete']],
    ['a misspelt field', ['startTimout: 3m'], ['UnknownField startTimout']],
    ['a misspelt field of the job', ['job: {image: a, comand: [x]}'], ['UnknownField job.comand']],
    ['a deadline of Kubernetes', ['job: {image: a, activeDeadlineSeconds: 3}'], ['RefusedField job.activeDeadlineSeconds']],
    ['reserved environment', ['job: {image: a, env: [{name: JOB_CHIEF_RUN, value: x}]}'], ['ReservedName job.env[0].name']],
    ['reserved mounts', ['files: {/job-chief/x: a}'], ['UnknownFile files["/job-chief/x"]', 'ReservedName files["/job-chief/x"]']],
    ['reserved labels', ['jobMetadata: {labels: {job-chief/run: x}}'], ['ReservedName jobMetadata.labels["job-chief/run"]']],
    ['a default that does not fit', ['parameters: {size: {type: integer, default: big}}'], ['WrongType parameters.size.default']],
    ['a default that cannot be checked in time', [`parameters: {a: {type: string, pattern: "^(a+)+$", default: ${'a'.repeat(40)}!}}`], ['InvalidValue parameters']],
    ['a field that is required twice', ['parameters: {row: {type: object, required: [a, a]}}'], ['InvalidValue parameters.row.required']],
    ['two parameters of one name', ['parameters: {a-b: {type: string}, a_b: {type: string}}'], ['NameTaken parameters.a_b']],
    ['two sorts of exit codes', ['retry: {attempts: 2, exitCodes: {retry: [1], fail: [2]}}'], ['ConflictingFields retry.exitCodes.fail']],
    ['a parameter that nobody declares', ['job: {image: a, args: [$(params.siz)]}', declared], ['UnknownReference job.args[0]']],
    ['a parameter in a place of another type', ['job: {image: a, parallelism: $(params.label)}', declared], ['WrongType job.parallelism']],
    ['a parameter in a place of its type', ['job: {image: a, parallelism: $(params.size), args: [$(params.label), $(run.name), $(run.attempt)]}', declared], []],
    ['steps, of which there are none', ['job: {image: a, args: [$(steps.a.outputs.b)]}'], ['UnknownReference job.args[0]']],
    ['items, of which there are none', ['job: {image: a, args: [$(item)]}'], ['UnknownReference job.args[0]']],
    ['messages, of which there are none', ['job: {image: a, args: [$(message.body)]}'], ['UnknownReference job.args[0]']],
    ['what came of the run, before it has', ['job: {image: a, args: [$(run.outcome)]}'], ['UnknownReference job.args[0]']],
    ['a reference where nothing is replaced', ['startTimeout: $(params.label)', declared], ['InvalidDuration startTimeout', 'UnreplacedReference startTimeout']],
    ['an output default of another type', ['outputs: {rows: {type: integer, default: many}}'], ['WrongType outputs.rows.default']],
    ['a shell that would run a parameter', ['job: {image: a, command: [sh, -c, "echo $(params.label)"]}', declared], ['ReferenceInScript job.command[2]']],
  ];
  it.each(cases)('%s', (_what, lines, expected) => {
    expect(codes(parseTemplate(aTemplate(...lines))).toSorted()).toEqual(expected.toSorted());
  });

  it.each([
    ['of the Job', 'jobTemplate: {spec: $(params.x)}', 'jobTemplate.spec'],
    ['of the pod template', 'jobTemplate: {spec: {template: $(params.x)}}', 'jobTemplate.spec.template'],
    ['of the pod', 'jobTemplate: {spec: {template: {spec: $(params.x)}}}', 'jobTemplate.spec.template.spec'],
  ])('the whole spec %s cannot be a value', (_, line, path) => {
    expect(codes(parseTemplate(aTemplate('parameters: {x: {type: object}}', line)))).toEqual([`WrongType ${path}`]);
  });

  it('parts of it can', () => {
    expect(codes(parseTemplate(aTemplate('parameters: {x: {type: array}}', 'jobTemplate: {spec: {template: {spec: {containers: $(params.x)}}}}')))).toEqual([]);
  });

  it('tells what to do instead', () => {
    const hints = (line: string): unknown => parseTemplate(aTemplate(line)).problems.map(({ message, hint }) => [message, hint]);
    expect(hints('job: {image: a, args: [$(steps.a.outputs.b)]}')).toEqual([['a template has no steps whose outputs could be named: $(steps.a…)', 'declare a parameter: a step of a Workflow can pass the output of another in template.parameters']]);
    expect(hints('job: {image: a, args: [$(item.name)]}')).toEqual([['$(item.name) names nothing: a template has no items', 'declare a parameter: a step of a Workflow with forEach can pass its item in template.parameters']]);
    expect(hints('forEach: {count: 3}')).toEqual([['"forEach" must not be set in a Template', 'a template is one Job; a Workflow has steps, which may be runs of templates']]);
  });

  it('has positions, as everywhere', () => {
    const [problem] = parseTemplate('apiVersion: job-chief/v1\nkind: Template\njob:\n  image: a\n  args:\n    - run\n    - $(params.size)\n').problems;
    expect(problem?.position).toEqual({ file: 'configmap/resize', line: 7, column: 7 });
  });
});
