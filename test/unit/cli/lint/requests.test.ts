import { describe, expect, it } from 'vitest';
import { checkSources } from '../../../../src/cli/lint/check.ts';

const template = 'apiVersion: job-chief/v1\nkind: Template\nname: resize\nparameters: {url: {type: string}, size: {type: integer, default: 3}}\njob: {image: a}\n';
const run = (...lines: readonly string[]): string => ['apiVersion: job-chief/v1', 'kind: Run', 'name: first', 'template: resize', ...lines, ''].join('\n');
const workflow = (...lines: readonly string[]): string => ['apiVersion: job-chief/v1', 'kind: Workflow', 'name: etl', 'trigger: {onChange: true}', 'steps:', ...lines, ''].join('\n');

/** `LINE:COLUMN CODE path: message` of each problem. */
function problems(...texts: readonly string[]): string[] {
  const found = checkSources(texts.map((text, index) => ({ name: `${index}.yaml`, text, explicit: true })), {});
  return found.problems.map(({ code, path, position, message }) => `${position?.line ?? 0}:${position?.column ?? 0} ${code} ${path ?? ''}: ${message}`);
}

describe('requests beside what they ask for', () => {
  it('are fine where they fit, and where the other file is somewhere else', () => {
    expect(problems(template, run('parameters: {url: "https://a", size: 4}'))).toEqual([]);
    expect(problems(run('parameters: {anything: 4}'))).toEqual([]);
  });

  it('of a Run are told with the place in its file', () => {
    expect(problems(template, run('parameters:', '  size: big', '  sise: 3'))).toEqual([
      '5:1 MissingField parameters.url: the parameter "url" needs a value of type string',
      '6:9 WrongType parameters.size: must be a whole number, is the text "big"',
      expect.stringMatching(/^7:\d+ UnknownField parameters\.sise: there is no parameter "sise"$/),
    ]);
  });

  it('of a step as well, as far as its values are written out', () => {
    const steps = (parameters: string): string => workflow('  - {name: list, job: {image: a}, outputs: {url: {type: string}}}', `  - {name: make, template: {name: resize, parameters: ${parameters}}}`);
    expect(problems(template, steps('{url: $(steps.list.outputs.url), size: 3}'))).toEqual([]);
    expect(problems(template, steps('{size: "$(run.attempt)"}'))).toEqual([expect.stringContaining('MissingField steps[1].template.parameters.url')]);
    expect(problems(template, steps('{url: $(run.name), size: big, sise: $(run.name)}')).map((text) => text.replace(/^\d+:\d+ /, ''))).toEqual([
      expect.stringContaining('WrongType steps[1].template.parameters.size'), expect.stringContaining('UnknownField steps[1].template.parameters.sise'),
    ]);
  });

  it('of another namespace are another matter', () => {
    const map = (name: string, namespace: string, kind: string, text: string): string => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels: { 'job-chief': kind } }, data: { 'spec.yaml': text } });
    expect(problems(map('resize', 'a', 'template', template), map('first', 'b', 'run', run()))).toEqual([]);
    expect(problems(map('resize', 'a', 'template', template), map('first', 'a', 'run', run()))).toHaveLength(1);
  });
});
