import { describe, expect, it } from 'vitest';
import { objectAt } from '../../../../src/lib/json.ts';
import { isRunnable } from '../../../../src/spec/parsed.ts';
import type { StepSpec, WorkflowSpec } from '../../../../src/spec/workflow.ts';
import { aTemplate, parseTemplate, validTemplate } from './input.ts';

const once = { attempts: 1, within: undefined, delay: 10_000, factor: 2, maxDelay: 300_000, exitCodes: undefined, onOOM: undefined };

describe('a Template with nothing but what is required', () => {
  it('is a workflow of one step, with all defaults', () => {
    expect(validTemplate(aTemplate())).toEqual({
      kind: 'Template',
      name: 'resize',
      hash: expect.stringMatching(/^[a-z2-7]{16}$/) as string,
      suspend: false,
      observe: false,
      onSpecDelete: 'finish',
      onSpecChange: 'keep',
      retention: { succeeded: { count: 3, age: undefined }, failed: { count: 10, age: 604_800_000 } },
      jobMetadata: { labels: {}, annotations: {} },
      podMetadata: { labels: {}, annotations: {} },
      health: { includeLastRun: false },
      parameters: {},
      trigger: { onChange: false, onRequest: true, schedule: undefined },
      concurrency: expect.objectContaining({ max: 10 }) as WorkflowSpec['concurrency'],
      steps: [
        {
          name: 'job',
          id: 'job',
          phase: undefined,
          work: {
            kind: 'job',
            template: {
              spec: {
                backoffLimit: 0,
                podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }] },
                template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox:1.37' }] } },
              },
            },
          },
          dependsOn: { all: [], phase: undefined, expression: undefined },
          when: undefined,
          forEach: undefined,
          retry: once,
          startTimeout: 900_000,
          timeout: undefined,
          allowFailure: false,
          undo: undefined,
          outputs: {},
          files: {},
        },
      ],
      finally: [],
      maxParallel: undefined,
      onFailure: 'stop',
      outputs: {},
      files: [],
    });
  });

  it('can be run', () => {
    expect(isRunnable(parseTemplate(aTemplate()).spec)).toBe(true);
  });
});

describe('fields of a Template', () => {
  const ofSpec: readonly [what: string, lines: readonly string[], expected: object][] = [
    ['a name of its own', ['name: resize-image'], { name: 'resize-image' }],
    ['runs at once', ['concurrency: {max: 2}'], { concurrency: { max: 2 } }],
    ['retention', ['retention: {failed: {count: 1}}'], { retention: { succeeded: { count: 3 }, failed: { count: 1, age: undefined } } }],
    ['switches', ['suspend: true', 'observe: true'], { suspend: true, observe: true }],
    ['a failed last run that counts', ['health: {includeLastRun: true}'], { health: { includeLastRun: true } }],
    ['parameters as a workflow declares them', ['parameters: {size: {type: integer, minimum: 1, default: 3}, note: {type: string, optional: true}}'], {
      parameters: { size: { type: 'integer', schema: { type: 'integer', minimum: 1 }, default: 3, optional: false }, note: { type: 'string', schema: { type: 'string' }, default: undefined, optional: true } },
    }],
    ['outputs of the Job are those of the run', ['outputs: {rows: {type: integer}, file-name: {type: string, default: ""}}'], { outputs: { rows: '$(steps.job.outputs.rows)', 'file-name': '$(steps.job.outputs.file-name)' } }],
  ];
  it.each(ofSpec)('%s', (_what, lines, expected) => {
    expect(validTemplate(aTemplate(...lines))).toMatchObject(expected);
  });

  const ofStep: readonly [what: string, lines: readonly string[], expected: Partial<StepSpec>][] = [
    ['limits of time', ['startTimeout: 3m', 'timeout: 1h'], { startTimeout: 180_000, timeout: 3_600_000 }],
    ['a timeout by parameter', ['parameters: {limit: {type: string}}', 'timeout: $(params.limit)'], { timeout: '$(params.limit)' }],
    ['retry', ['retry: {attempts: 3, delay: 1s}'], { retry: { ...once, attempts: 3, delay: 1000 } }],
    ['outputs', ['outputs: {rows: {type: integer, default: 0}}'], { outputs: { rows: { type: 'integer', default: 0 } } }],
  ];
  it.each(ofStep)('%s', (_what, lines, expected) => {
    expect(validTemplate(aTemplate(...lines)).steps).toMatchObject([expected]);
  });

  it('a whole JobTemplateSpec', () => {
    const spec = validTemplate(aTemplate('jobTemplate: {spec: {template: {spec: {restartPolicy: OnFailure, containers: [{name: a, image: x}, {name: b, image: z}]}}}}'));
    expect(spec.steps[0]?.work).toMatchObject({ kind: 'job', template: { spec: { template: { spec: { restartPolicy: 'OnFailure', containers: [{ name: 'a' }, { name: 'b' }] } } } } });
  });

  it('a Job of a file, as it stands, and files that are mounted', () => {
    const manifest = 'apiVersion: batch/v1\nkind: Job\nmetadata: {name: x}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "$(params.x)"}]}}}\n';
    const ofFile = validTemplate(aTemplate('jobFile: job.yaml'), { 'job.yaml': manifest });
    expect([ofFile.files, ofFile.steps[0]?.work.kind]).toEqual([['job.yaml'], 'manifests']);
    const mounted = validTemplate(aTemplate('files: {/app/run.sh: run.sh}'), { 'run.sh': 'true' });
    expect([mounted.files, mounted.steps[0]?.files]).toEqual([['run.sh'], { '/app/run.sh': 'run.sh' }]);
  });

  it('operator defaults fill what the job leaves out', () => {
    const { steps } = validTemplate(aTemplate(), {}, { jobDefaults: { imagePullSecrets: ['pull'] } });
    const work = steps[0]?.work;
    expect(work?.kind === 'job' && objectAt(objectAt(objectAt(work.template, 'spec'), 'template'), 'spec')['imagePullSecrets']).toEqual([{ name: 'pull' }]);
  });
});

describe('the hash of a Template', () => {
  const hashOf = (...lines: readonly string[]): string => validTemplate(aTemplate(...lines)).hash;

  it('changes with the text, and not with comments and switches', () => {
    expect(hashOf('# a comment', 'suspend: true')).toBe(hashOf());
    expect(hashOf('timeout: 1h')).not.toBe(hashOf());
  });
});
