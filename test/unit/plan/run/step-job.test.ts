import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrayAt, isObject, numberAt, objectAt, stringAt, type Json, type JsonObject } from '../../../../src/lib/json.ts';
import { dryRunOf } from '../../../../src/plan/manifest.ts';
import { stepJob, type StepJobInput } from '../../../../src/plan/run/step-job.ts';
import type { RetrySpec, StepSpec } from '../../../../src/spec/workflow.ts';
import { aJobTemplate, hours, minutes, seconds } from '../../../support/builders.ts';
import { aJobStep, aStepJobInput, aTemplateWithMemory, aWorkflowOf, noRetry } from '../../../support/steps.ts';

const made = (changes: Partial<StepJobInput> = {}): JsonObject => stepJob(aStepJobInput(changes)).manifest;
const specOf = (job: JsonObject): JsonObject => objectAt(job, 'spec');
const templateOf = (job: JsonObject): JsonObject => objectAt(specOf(job), 'template');
const podOf = (job: JsonObject): JsonObject => objectAt(templateOf(job), 'spec');
const containerOf = (job: JsonObject, list = 'containers', at = 0): JsonObject => objectAt({ found: arrayAt(podOf(job), list)[at] }, 'found');
const envOf = (container: JsonObject): Record<string, Json | undefined> => Object.fromEntries(arrayAt(container, 'env').filter(isObject).map((entry) => [stringAt(entry, 'name') ?? '', entry['value']]));
const annotations = (job: JsonObject): JsonObject => objectAt(objectAt(job, 'metadata'), 'annotations');

describe('the Job of a step', () => {
  it('has no label or annotation in our name that came with the value of a parameter', () => {
    const metadata = { labels: { 'job-chief/group': 'gpu', team: 'a' }, annotations: { 'job-chief/outcome': '{"phase":"final"}', note: 'b' } };
    const job = made({ template: { metadata, spec: { template: { ...templateOf(made()), metadata } } } });
    for (const placed of [job, templateOf(job)]) {
      expect(objectAt(objectAt(placed, 'metadata'), 'labels')).toMatchObject({ team: 'a' });
      expect(objectAt(objectAt(placed, 'metadata'), 'labels')).not.toHaveProperty('job-chief/group');
      expect(objectAt(objectAt(placed, 'metadata'), 'annotations')).toMatchObject({ note: 'b' });
      expect(objectAt(objectAt(placed, 'metadata'), 'annotations')).not.toHaveProperty('job-chief/outcome');
    }
  });

  it('is what the user wrote, with name, labels, notes, owner and environment', () => {
    const labels = {
      'app.kubernetes.io/managed-by': 'job-chief', 'job-chief/instance': 'default', 'job-chief/kind': 'workflow', 'job-chief/name': 'nightly',
      'job-chief/run': 'nightly-abc', 'job-chief/step': 'load', 'job-chief/attempt': '2',
    };
    const { jobName, manifest, map } = stepJob(aStepJobInput({ attempt: 2 }));
    expect(map).toBeUndefined();
    expect(manifest).toEqual({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: {
        namespace: 'acme',
        name: jobName,
        labels,
        annotations: {
          'job-chief/name': 'nightly',
          'job-chief/step': 'load',
          'job-chief/spec-hash': 'hash-1',
          'job-chief/upkeep': JSON.stringify({ startTimeout: minutes(15), succeeded: {}, failed: {} }),
        },
        ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'nightly-abc', uid: 'record-uid', controller: true }],
      },
      spec: {
        backoffLimit: 0,
        template: {
          metadata: { labels, annotations: {} },
          spec: {
            restartPolicy: 'Never',
            containers: [
              {
                name: 'main',
                image: 'ghcr.io/acme/thumbnailer:3.1',
                env: [
                  { name: 'JOB_CHIEF_KIND', value: 'workflow' },
                  { name: 'JOB_CHIEF_NAME', value: 'nightly' },
                  { name: 'JOB_CHIEF_RUN', value: 'nightly-abc' },
                  { name: 'JOB_CHIEF_STEP', value: 'load' },
                  { name: 'JOB_CHIEF_ATTEMPT', value: '2' },
                  { name: 'JOB_CHIEF_OUTPUT', value: '/dev/termination-log' },
                ],
              },
            ],
          },
        },
      },
    });
  });

  it('has a name for each attempt, item and role', () => {
    const inputs: Partial<StepJobInput>[] = [{}, { attempt: 2 }, { index: 0 }, { index: 1 }, { role: 'undo' }, { record: { name: 'nightly-abc', uid: 'other', target: { kind: 'workflow', name: 'nightly' } } }];
    expect(new Set(inputs.map((input) => stepJob(aStepJobInput(input)).jobName)).size).toBe(inputs.length);
  });

  it('says that it undoes its step, by a label on Job and pods; one that does the step has none', () => {
    const labelsOf = (placed: JsonObject): JsonObject => objectAt(objectAt(placed, 'metadata'), 'labels');
    const undo = made({ role: 'undo' });
    expect([undo, templateOf(undo)].map((placed) => labelsOf(placed)['job-chief/undo'])).toEqual(['true', 'true']);
    expect([made(), templateOf(made())].map((placed) => labelsOf(placed)['job-chief/undo'])).toEqual([undefined, undefined]);
  });

  it('has a step name that fits no label cut and hashed there, and whole as an annotation', () => {
    const job = made({ step: aJobStep({ name: `load_${'x'.repeat(58)}_` }) });
    const label = stringAt(objectAt(objectAt(job, 'metadata'), 'labels'), 'job-chief/step') ?? '';
    expect(label).toMatch(/^load_x+-[a-z2-7]{10}$/);
    expect(label.length).toBeLessThanOrEqual(63);
    expect(annotations(job)['job-chief/step']).toBe(`load_${'x'.repeat(58)}_`);
  });

  it('keeps the labels, annotations and env of the user, and ours win', () => {
    const step = aJobStep();
    const spec = aWorkflowOf(step, { jobMetadata: { labels: { team: 'data', 'job-chief/run': 'evil' }, annotations: { note: 'job' } }, podMetadata: { labels: { team: 'data', 'job-chief/step': 'evil' }, annotations: { note: 'pod' } } });
    const template = {
      metadata: { labels: { from: 'file', team: 'other' }, annotations: { 'job-chief/upkeep': 'evil' } },
      spec: { template: { metadata: { annotations: { scrape: 'true' } }, spec: { containers: [{ name: 'main', env: [{ name: 'JOB_CHIEF_RUN', value: 'evil' }, { name: 'LOG', value: '$(JOB_CHIEF_RUN)' }] }] } } },
    };
    const job = made({ step, spec, template });
    expect(objectAt(objectAt(job, 'metadata'), 'labels')).toMatchObject({ from: 'file', team: 'data', 'job-chief/run': 'nightly-abc' });
    expect(annotations(job)).toMatchObject({ note: 'job', 'job-chief/upkeep': expect.stringContaining('startTimeout') as Json });
    expect(objectAt(templateOf(job), 'metadata')).toMatchObject({ labels: { team: 'data', 'job-chief/step': 'load' }, annotations: { scrape: 'true', note: 'pod' } });
    expect(envOf(containerOf(job))).toMatchObject({ JOB_CHIEF_RUN: 'nightly-abc', LOG: '$(JOB_CHIEF_RUN)' });
    expect(arrayAt(containerOf(job), 'env').at(-1)).toEqual({ name: 'LOG', value: '$(JOB_CHIEF_RUN)' });
  });

  it('takes metadata and spec of a whole manifest and nothing else', () => {
    const file: JsonObject = { apiVersion: 'batch/v1beta1', kind: 'CronJob', metadata: { name: 'mine', generateName: 'x-', namespace: 'other', uid: 'u', ownerReferences: [], finalizers: ['f'], labels: { a: 'b' } }, spec: { ttlSecondsAfterFinished: 5, template: { spec: { containers: [{ name: 'main', args: ['$(params.x)'] }] } } }, status: { succeeded: 1 } };
    const job = made({ template: file });
    expect(Object.keys(job)).toEqual(['apiVersion', 'kind', 'metadata', 'spec']);
    expect([job['apiVersion'], job['kind'], Object.keys(objectAt(job, 'metadata')).toSorted()]).toEqual(['batch/v1', 'Job', ['annotations', 'labels', 'name', 'namespace', 'ownerReferences']]);
    expect(objectAt(job, 'metadata')).toMatchObject({ namespace: 'acme', labels: { a: 'b' } });
    expect([specOf(job)['ttlSecondsAfterFinished'], containerOf(job)['args']]).toEqual([5, ['$(params.x)']]);
  });

  it('tells each regular container where its outputs go, and no init container', () => {
    const template = aJobTemplate({ terminationMessagePath: '/tmp/out' }, { initContainers: [{ name: 'init', image: 'busybox' }] });
    const job = made({ template });
    expect(envOf(containerOf(job))['JOB_CHIEF_OUTPUT']).toBe('/tmp/out');
    expect(envOf(containerOf(job, 'initContainers'))).toEqual({ JOB_CHIEF_KIND: 'workflow', JOB_CHIEF_NAME: 'nightly', JOB_CHIEF_RUN: 'nightly-abc', JOB_CHIEF_STEP: 'load', JOB_CHIEF_ATTEMPT: '1' });
  });

  it('has more memory after an OOM kill', () => {
    const job = made({ template: aTemplateWithMemory({ limits: '512Mi' }), memory: '1Gi' });
    expect(objectAt(containerOf(job), 'resources')).toEqual({ limits: { cpu: '1', memory: '1Gi' } });
  });

  it('mounts the files of the run where the step wants them, in init containers too', () => {
    const step = aJobStep({ files: { '/app/run.sh': 'run.sh', '/etc/app.conf': 'conf' } });
    const job = made({ step, template: aJobTemplate({ volumeMounts: [{ name: 'own' }] }, { volumes: [{ name: 'own' }], initContainers: [{ name: 'init', image: 'busybox' }] }) });
    const mounts = [
      { name: 'job-chief-files', mountPath: '/app/run.sh', subPath: 'run.sh', readOnly: true },
      { name: 'job-chief-files', mountPath: '/etc/app.conf', subPath: 'conf', readOnly: true },
    ];
    expect(podOf(job)['volumes']).toEqual([{ name: 'own' }, { name: 'job-chief-files', configMap: { name: 'nightly-abc-files', defaultMode: 0o555 } }]);
    expect(containerOf(job)['volumeMounts']).toEqual([{ name: 'own' }, ...mounts]);
    expect(containerOf(job, 'initContainers')['volumeMounts']).toEqual(mounts);
  });

  it('as a dry run has no name, so that it meets no existing Job', () => {
    const { name: _name, ...rest } = objectAt(made(), 'metadata');
    expect(dryRunOf(made())).toEqual({ ...made(), metadata: { ...rest, generateName: 'job-chief-check-' } });
  });
});

describe('time limits of a step', () => {
  const limits = (job: JsonObject): unknown[] => [specOf(job)['activeDeadlineSeconds'], JSON.parse(stringAt(annotations(job), 'job-chief/upkeep') ?? '')];
  const undo = { template: aJobTemplate(), retry: noRetry, startTimeout: seconds(10), timeout: undefined };
  it.each<[string, Partial<StepJobInput>, number | undefined, JsonObject]>([
    ['none but the start without a timeout', {}, undefined, { startTimeout: minutes(15) }],
    ['a backstop behind both', { timeout: 1500, step: aJobStep({ startTimeout: seconds(10) }) }, 42, { startTimeout: seconds(10), timeout: 1500 }],
    ['of an undo job are its own', { role: 'undo', step: aJobStep({ undo }), timeout: seconds(5) }, 45, { startTimeout: seconds(10), timeout: seconds(5) }],
    ['a nearer deadline of a manifest holds', { timeout: hours(1), template: { spec: { activeDeadlineSeconds: 60 } } }, 60, { timeout: hours(1) }],
    ['a farther one does not', { timeout: seconds(10), template: { spec: { activeDeadlineSeconds: 100_000 } } }, 940, { timeout: seconds(10) }],
    ['a manifest without timeout keeps its deadline', { template: { spec: { activeDeadlineSeconds: 60 } } }, 60, {}],
  ])('%s', (_sentence, input, deadline, upkeep) => {
    const [seconds_, note] = limits(made(input));
    expect(seconds_).toBe(deadline);
    expect(note).toMatchObject(upkeep);
  });
});

const forEach = (changes: Partial<NonNullable<StepSpec['forEach']>> = {}): NonNullable<StepSpec['forEach']> => ({ source: { kind: 'items', items: [] }, maxParallel: undefined, shape: 'indexed', ...changes });
const values = ['eu', { region: 'us', size: 3 }, 7, ''];
const indexed = (changes: Partial<StepJobInput> = {}) => stepJob(aStepJobInput({ step: aJobStep({ forEach: forEach() }), each: { count: values.length, values }, ...changes }));

describe('the Indexed Job of a forEach', () => {
  it('has a completion for each item, and its own attempts for each', () => {
    const { backoffLimit, completionMode, completions, parallelism, backoffLimitPerIndex, maxFailedIndexes } = specOf(indexed().manifest);
    expect({ backoffLimit, completionMode, completions, parallelism, backoffLimitPerIndex, maxFailedIndexes }).toEqual({ backoffLimit: undefined, completionMode: 'Indexed', completions: 4, parallelism: 4, backoffLimitPerIndex: 0, maxFailedIndexes: undefined });
  });

  const retry: RetrySpec = { ...noRetry, attempts: 3 };
  const policy = { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }] };
  const jobSpec = (fields: JsonObject): JsonObject => ({ spec: { backoffLimit: 0, ...fields, template: { spec: { restartPolicy: 'Never', containers: [] } } } });
  it.each<[string, Partial<StepJobInput>, JsonObject, number | undefined]>([
    ['tries each item as often as its step says', { step: aJobStep({ forEach: forEach(), retry }) }, {}, 2],
    ['runs as many pods at once as its forEach says', { step: aJobStep({ forEach: forEach({ maxParallel: 2 }) }) }, { parallelism: 2 }, 0],
    ['never runs more pods than there are items', { step: aJobStep({ forEach: forEach({ maxParallel: 100 }) }) }, { parallelism: 4 }, 0],
    ['runs as many pods at once as its Job says', { template: jobSpec({ parallelism: 3 }) }, { parallelism: 3 }, 0],
    ['keeps the rule that evictions do not count', { template: jobSpec({ podFailurePolicy: policy }) }, { podFailurePolicy: policy }, 0],
    ['keeps a limit of the user for all items together', { template: jobSpec({ backoffLimit: 6 }) }, { backoffLimit: 6 }, undefined],
    ['keeps a limit of the user for each item', { template: jobSpec({ backoffLimitPerIndex: 5 }) }, { backoffLimit: 0 }, 5],
  ])('%s', (_sentence, input, expected, perIndex) => {
    const spec = specOf(indexed(input).manifest);
    expect(spec).toMatchObject(expected);
    expect(spec['backoffLimitPerIndex']).toBe(perIndex);
  });

  it('has the items in a map of its own, one key for each, which its pods mount by their index', () => {
    const { jobName, manifest, map } = indexed();
    expect(map).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        namespace: 'acme',
        name: `${jobName}-items`,
        labels: { ...objectAt(objectAt(manifest, 'metadata'), 'labels'), 'job-chief-record': 'items' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'nightly-abc', uid: 'record-uid', controller: true }],
      },
      immutable: true,
      data: { 0: 'eu', 1: '{"region":"us","size":3}', 2: '7', 3: '' },
    });
    expect(podOf(manifest)['volumes']).toEqual([{ name: 'job-chief-items', configMap: { name: `${jobName}-items` } }]);
    expect(containerOf(manifest)['volumeMounts']).toEqual([{ name: 'job-chief-items', mountPath: '/job-chief/item', subPathExpr: '$(JOB_COMPLETION_INDEX)', readOnly: true }]);
  });

  it('needs no map where the items are numbers: JOB_COMPLETION_INDEX says them', () => {
    const { manifest, map } = indexed({ each: { count: 3 } });
    expect([map, podOf(manifest)['volumes'], specOf(manifest)['completions']]).toEqual([undefined, undefined, 3]);
  });

  it('lets nobody redirect the item', () => {
    const env = [{ name: 'JOB_COMPLETION_INDEX', value: '0' }, { name: 'KEPT', value: '1' }];
    expect(Object.keys(envOf(containerOf(indexed({ template: aJobTemplate({ env }) }).manifest)))).not.toContain('JOB_COMPLETION_INDEX');
    expect(Object.keys(envOf(containerOf(made({ template: aJobTemplate({ env }) }))))).toEqual(expect.arrayContaining(['JOB_COMPLETION_INDEX', 'KEPT']));
  });

  it('has no index of its own among labels and env', () => {
    const { manifest } = indexed();
    expect(objectAt(objectAt(manifest, 'metadata'), 'labels')).not.toHaveProperty('job-chief/index');
    expect(envOf(containerOf(manifest))).not.toHaveProperty('JOB_CHIEF_ITEM_INDEX');
  });
});

describe('one Job for each item', () => {
  const step = (template: JsonObject = aJobTemplate()): StepSpec => aJobStep({ forEach: forEach({ shape: 'jobs' }), work: { kind: 'job', template } });

  it('knows its index, and stays an ordinary Job', () => {
    const { manifest } = indexed({ step: step(), index: 2 });
    expect(objectAt(objectAt(manifest, 'metadata'), 'labels')).toMatchObject({ 'job-chief/index': '2' });
    expect(envOf(containerOf(manifest))).toMatchObject({ JOB_CHIEF_ITEM_INDEX: '2' });
    expect(specOf(manifest)).toMatchObject({ backoffLimit: 0 });
    expect(specOf(manifest)).not.toHaveProperty('completions');
  });

  it('finds its item, and no other, as a file', () => {
    const { jobName, manifest, map } = indexed({ step: step(), index: 1 });
    expect(map?.['data']).toEqual({ 1: '{"region":"us","size":3}' });
    expect(containerOf(manifest)['volumeMounts']).toEqual([{ name: 'job-chief-items', mountPath: '/job-chief/item', subPath: '1', readOnly: true }]);
    expect(podOf(manifest)['volumes']).toEqual([{ name: 'job-chief-items', configMap: { name: `${jobName}-items` } }]);
  });

  it.each<[string, Partial<StepJobInput>]>([
    ['the job says by $(item) where it wants it', { step: step(aJobTemplate({ args: ['--region', '$(item.region)'] })), index: 1 }],
    ['items are numbers', { step: step(), index: 1, each: { count: 3 } }],
    ['the job undoes the step', { step: step(), role: 'undo', index: 1 }],
    ['there is no such item', { step: step(), index: 99 }],
  ])('needs no file where %s', (_sentence, input) => {
    const { manifest, map } = indexed(input);
    expect([map, podOf(manifest)['volumes']]).toEqual([undefined, undefined]);
  });

  it('of jobFiles has its index as a label only', () => {
    const job = made({ index: 1 });
    expect(objectAt(objectAt(job, 'metadata'), 'labels')).toMatchObject({ 'job-chief/index': '1' });
    expect(envOf(containerOf(job))).not.toHaveProperty('JOB_CHIEF_ITEM_INDEX');
  });
});

it('any template, garbage included, becomes a Job with our labels, name and owner', () => {
  const json = fc.object({ key: fc.constantFrom('metadata', 'spec', 'template', 'containers', 'initContainers', 'env', 'labels', 'name', 'volumes', 'resources', 'limits', 'memory', 'x'), maxDepth: 7 });
  const each = fc.option(fc.array(fc.jsonValue(), { minLength: 1, maxLength: 4 }).map((list) => ({ count: list.length, values: list })), { nil: undefined });
  fc.assert(fc.property(json, each, (template, items) => {
    const { jobName, manifest, map } = stepJob(aStepJobInput({ template: template as JsonObject, each: items, memory: '1Gi', timeout: 1000 }));
    expect(objectAt(manifest, 'metadata')).toMatchObject({ name: jobName, ownerReferences: [{ uid: 'record-uid' }] });
    for (const labelled of [manifest, templateOf(manifest)]) expect(objectAt(objectAt(labelled, 'metadata'), 'labels')).toMatchObject({ 'job-chief/run': 'nightly-abc', 'job-chief/step': 'load' });
    expect(numberAt(specOf(manifest), 'completions')).toBe(items ? items.count : numberAt(objectAt(template, 'spec'), 'completions'));
    expect(Object.keys(objectAt(map, 'data'))).toHaveLength(items?.count ?? 0);
  }), { numRuns: 100 });
});
