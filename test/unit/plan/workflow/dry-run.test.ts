import { describe, expect, it } from 'vitest';
import { objectAt, arrayAt, type Json, type JsonObject } from '../../../../src/lib/json.ts';
import { dryRunJobs } from '../../../../src/plan/workflow/dry-run.ts';
import type { ForEachSpec, ParameterSpec, StepSpec, WorkflowSpec } from '../../../../src/spec/workflow.ts';
import { aJobTemplate, anEnvironment } from '../../../support/builders.ts';
import { aStep, aWorkflowSpec } from '../../../support/workflows.ts';

const jobs = (spec: WorkflowSpec): ReturnType<typeof dryRunJobs> => dryRunJobs(spec, { kind: 'workflow', name: 'etl' }, anEnvironment());
const whats = (...steps: StepSpec[]): string[] => jobs(aWorkflowSpec({ steps })).map(({ what }) => what);
const work = (container: JsonObject, pod: JsonObject = {}): StepSpec['work'] => ({ kind: 'job', template: aJobTemplate(container, pod) });
const podOf = (manifest: JsonObject): JsonObject => objectAt(objectAt(objectAt(manifest, 'spec'), 'template'), 'spec');
const containerOf = (manifest: JsonObject): JsonObject => arrayAt(podOf(manifest), 'containers')[0] as JsonObject;
/** What becomes of the arguments. */
function args(written: readonly string[], changes: Partial<WorkflowSpec> = {}, step: Partial<StepSpec> = {}): Json | undefined {
  const [job] = jobs(aWorkflowSpec({ steps: [aStep('load', { work: work({ args: [...written] }), ...step })], ...changes }));
  return job && containerOf(job.manifest)['args'];
}
const parameter = (type: ParameterSpec['type'], changes: Partial<ParameterSpec> = {}): ParameterSpec => ({ type, schema: { type, ...changes.schema }, default: undefined, optional: false, ...changes });

describe('the Jobs that are asked about', () => {
  it('are named by nobody, so that they meet no other', () => {
    const [job] = jobs(aWorkflowSpec());
    expect(job).toMatchObject({ what: 'step "load"', manifest: { apiVersion: 'batch/v1', kind: 'Job', metadata: { generateName: 'job-chief-check-', namespace: 'acme' } } });
    expect(objectAt(job?.manifest, 'metadata')).not.toHaveProperty('name');
  });

  it('have beside them what they are before samples take the place of references, for the policy', () => {
    const [job] = jobs(aWorkflowSpec({ parameters: { tag: parameter('string') }, steps: [aStep('load', { work: work({ image: 'app:$(params.tag)' }), files: { '/app/a': 'a' } })] }));
    expect([job?.manifest, job?.open].map((manifest) => containerOf(manifest ?? {})['image'])).toEqual(['app:1', 'app:$(params.tag)']);
    expect(job?.ours).toEqual(arrayAt(podOf(job?.open ?? {}), 'volumes'));
    expect(arrayAt(podOf(job?.open ?? {}), 'volumes')[0]).toBe(job?.ours?.[0]);
  });

  it('are those of steps, of finally and of undo, and of each file', () => {
    const manifests = ['a.yaml', 'b.yaml'].map((file) => ({ file, template: { apiVersion: 'batch/v1', kind: 'Job', ...aJobTemplate({ image: file }) } }));
    const undo = { template: aJobTemplate({ image: 'undo' }), retry: aStep('x').retry, startTimeout: 0, timeout: undefined };
    const spec = aWorkflowSpec({ steps: [aStep('load', { undo }), aStep('files', { work: { kind: 'manifests', manifests, several: true } })], finally: [aStep('tell', { work: work({ image: 'tell' }) })] });
    expect(jobs(spec).map(({ what }) => what)).toEqual(['step "load"', 'undo of step "load"', 'step "files", file "a.yaml"', 'step "files", file "b.yaml"', 'step "tell"']);
  });

  it('of a template are named by their file, if at all: nobody wrote a step', () => {
    const manifests = [{ file: 'a.yaml', template: { apiVersion: 'batch/v1', kind: 'Job', ...aJobTemplate() } }];
    const whatOf = (step: StepSpec): string[] => jobs(aWorkflowSpec({ kind: 'Template', steps: [step] })).map(({ what }) => what);
    expect([whatOf(aStep('job')), whatOf(aStep('job', { work: { kind: 'manifests', manifests, several: false } }))]).toEqual([[''], ['file "a.yaml"']]);
  });

  it('are none for what is no Job', () => {
    expect(whats(aStep('ask', { work: { kind: 'approve', message: '' } }), aStep('sub', { work: { kind: 'subRun', target: { kind: 'workflow', name: 'other' }, parameters: {} } }))).toEqual([]);
  });

  it('are one for steps whose Jobs are the same', () => {
    expect(whats(aStep('a'), aStep('b'), aStep('c', { work: work({ image: 'other' }) }), aStep('d'))).toEqual(['step "a"', 'step "c"']);
    expect(whats(...Array.from({ length: 1000 }, (_, index) => aStep(`step-${index}`)))).toEqual(['step "step-0"']);
  });

  it('are one for steps that differ only in what no API server looks at', () => {
    const step = (name: string, container: JsonObject): StepSpec => aStep(name, { work: work(container) });
    expect(whats(
      step('a', { args: ['a'], command: ['sh'], env: [{ name: 'X', value: 'a' }] }),
      step('b', { args: ['b', 'c'], env: [{ name: 'X', value: 'b' }] }),
      step('c', { args: ['a'], env: [{ name: 'Y', value: 'a' }] }),
      step('d', { args: ['a'], env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }),
    )).toEqual(['step "a"', 'step "c"', 'step "d"']);
  });

  it('are no more than two hundred, whatever the steps are', () => {
    expect(whats(...Array.from({ length: 1000 }, (_, index) => aStep(`step-${index}`, { work: work({ image: `image-${index}` }) })))).toHaveLength(200);
  });

  it('of an undo from a file are used as they stand', () => {
    const undo = { template: aJobTemplate({ args: ['$(params.x)'] }), verbatim: true, retry: aStep('x').retry, startTimeout: 0, timeout: undefined };
    const [, job] = jobs(aWorkflowSpec({ steps: [aStep('load', { undo })] }));
    expect(job && containerOf(job.manifest)['args']).toEqual(['$(params.x)']);
  });

  it.each([
    ['files', { files: { '/app/run.sh': 'run.sh' } }],
    ['a timeout', { timeout: 5000 }],
    ['items of an Indexed Job', { forEach: { source: { kind: 'count', count: 3 }, maxParallel: undefined, shape: 'indexed' } }],
  ] as const)('are not the same where one has %s', (_sentence, changes) => {
    expect(whats(aStep('a'), aStep('b', changes))).toEqual(['step "a"', 'step "b"']);
  });

  it('are not the same for other items that the job names', () => {
    const each = (item: string): StepSpec => aStep(item, { work: work({ args: ['$(item)'] }), forEach: { source: { kind: 'items', items: [item] }, maxParallel: undefined, shape: 'jobs' } });
    expect(whats(each('a'), each('b'))).toEqual(['step "a"', 'step "b"']);
  });
});

describe('references are replaced by samples', () => {
  it.each([
    ['the default of a parameter', '$(params.a)', { parameters: { a: parameter('string', { default: 'x' }) } }, 'x'],
    ['a value inside of it', '$(params.a.b[1])', { parameters: { a: parameter('object', { default: { b: [1, 'two'] } }) } }, 'two'],
    ['the first of the values that are allowed', '$(params.a)', { parameters: { a: parameter('string', { schema: { enum: ['small', 'large'] } }) } }, 'small'],
    ['a text', '$(params.a)', { parameters: { a: parameter('string') } }, '1'],
    ['an integer', '$(params.a)', { parameters: { a: parameter('integer') } }, '1'],
    ['an integer within its bounds', '$(params.a)', { parameters: { a: parameter('integer', { schema: { minimum: 7 } }) } }, '7'],
    ['a number below its bound', '$(params.a)', { parameters: { a: parameter('number', { schema: { maximum: -1 } }) } }, '-1'],
    ['a boolean', '$(params.a)', { parameters: { a: parameter('boolean') } }, 'true'],
    ['a list', '$(params.a)', { parameters: { a: parameter('array') } }, '[]'],
    ['an object', '$(params.a)', { parameters: { a: parameter('object') } }, '{}'],
    ['something inside of an object that has no default', '$(params.a.b)', { parameters: { a: parameter('object') } }, '1'],
    ['a name that is no parameter, though every object has it', '$(params.constructor)', {}, '1'],
    ['the name of the run', '$(run.name)', {}, 'sample'],
    ['the day of the run', 'day=$(run.scheduledDate)', {}, 'day=2026-01-01'],
    ['an outcome', '$(steps.load.outcome)', {}, 'succeeded'],
    ['an output with a default', '$(steps.a-b.outputs.rows)', { finally: [aStep('a-b', { outputs: { rows: { type: 'integer', default: 4 } } })] }, '4'],
    ['an output without one, by the other spelling', '$(steps.a_b.outputs.rows)', { finally: [aStep('a-b', { outputs: { rows: { type: 'integer', default: undefined } } })] }, '1'],
    ['an output of nobody', '$(steps.x.outputs.rows)', {}, '1'],
    ['what belongs to others stays', '$(HOME) $$(params.a)', {}, '$(HOME) $$(params.a)'],
  ] as const)('%s', (_sentence, written, changes, expected) => {
    expect(args([written], changes)).toEqual([expected]);
  });

  it('outputs of a forEach are lists', () => {
    const forEach: ForEachSpec = { source: { kind: 'count', count: 2 }, maxParallel: undefined, shape: 'indexed' };
    const steps = { finally: [aStep('each', { work: { kind: 'approve', message: '' }, forEach, outputs: { rows: { type: 'integer', default: undefined } } })] };
    expect(args(['$(steps.each.outputs.rows)', '$(steps.each.outputs.rows[0])'], steps)).toEqual(['[1]', '1']);
  });

  it.each([
    ['the first that is written out', { kind: 'items', items: ['eu', 'us'] }, 'eu'],
    ['a field of it', { kind: 'items', items: [{ name: 'eu' }] }, '{"name":"eu"}'],
    ['a number', { kind: 'count', count: 3 }, '0'],
    ['nothing, where there is none to see', { kind: 'from', reference: '$(params.list)' }, ''],
    ['nothing, where the list is empty', { kind: 'items', items: [] }, ''],
  ] as const)('an item is %s', (_sentence, source, expected) => {
    expect(args(['$(item)'], {}, { forEach: { source: source as ForEachSpec['source'], maxParallel: undefined, shape: 'jobs' } })).toEqual([expected]);
  });

  it('a text that stands where a number, a quantity or a boolean is wanted is one', () => {
    const template = { spec: { backoffLimit: '$(params.a)', template: { spec: { hostNetwork: '$(params.b)', containers: [{ name: 'main', image: 'x', resources: { limits: { memory: '$(params.c)Gi' } } }] } } } };
    const spec = (without: string): WorkflowSpec => aWorkflowSpec({ parameters: { a: parameter('string'), b: parameter('string'), c: parameter('string') }, steps: [aStep('load', { work: { kind: 'job', template: JSON.parse(JSON.stringify(template).replace(without, '')) as JsonObject } })] });
    const [numbers] = jobs(spec('"hostNetwork":"$(params.b)",'));
    expect(objectAt(numbers?.manifest, 'spec')['backoffLimit']).toBe(1);
    expect(objectAt(objectAt(containerOf(numbers?.manifest ?? {}), 'resources'), 'limits')).toEqual({ memory: '1Gi' });
    const [booleans] = jobs(spec('"backoffLimit":"$(params.a)",'));
    expect(podOf(booleans?.manifest ?? {})['hostNetwork']).toBe(true);
  });

  it('a template for which no sample fits is left to the step that gets real values', () => {
    const steps = [aStep('odd', { work: { kind: 'job', template: { spec: { backoffLimit: '$(params.a)', suspend: '$(params.a)', template: {} } } } }), aStep('plain')];
    expect(jobs(aWorkflowSpec({ parameters: { a: parameter('string') }, steps })).map(({ what }) => what)).toEqual(['step "plain"']);
  });

  it('whole manifests are used as they stand', () => {
    const template = { apiVersion: 'batch/v1', kind: 'Job', ...aJobTemplate({ args: ['$(params.a)'] }) };
    const [job] = jobs(aWorkflowSpec({ steps: [aStep('file', { work: { kind: 'manifests', manifests: [{ file: 'a.yaml', template }], several: false } })] }));
    expect(containerOf(job?.manifest ?? {})['args']).toEqual(['$(params.a)']);
  });
});
