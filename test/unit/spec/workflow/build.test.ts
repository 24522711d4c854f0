import { describe, expect, it } from 'vitest';
import type { StepSpec } from '../../../../src/spec/workflow.ts';
import { aWorkflow, parseWorkflow, validStep, validWorkflow, withSteps } from './input.ts';

const once = { attempts: 1, within: undefined, delay: 10_000, factor: 2, maxDelay: 300_000, exitCodes: undefined, onOOM: undefined };
const template = {
  spec: {
    backoffLimit: 0,
    podFailurePolicy: { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }] },
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox:1.37' }] } },
  },
};

describe('a Workflow with nothing but what is required', () => {
  it('has all defaults', () => {
    expect(validWorkflow(aWorkflow())).toEqual({
      kind: 'Workflow',
      name: 'etl',
      hash: expect.stringMatching(/^[a-z2-7]{16}$/) as string,
      suspend: false,
      observe: false,
      onSpecDelete: 'delete',
      onSpecChange: 'keep',
      retention: { succeeded: { count: 3, age: undefined }, failed: { count: 10, age: 604_800_000 } },
      jobMetadata: { labels: {}, annotations: {} },
      podMetadata: { labels: {}, annotations: {} },
      health: { includeLastRun: true },
      parameters: {},
      trigger: { onChange: true, onRequest: false, schedule: undefined },
      concurrency: { max: 1, priority: 0 },
      steps: [
        {
          name: 'only',
          id: 'only',
          phase: undefined,
          work: { kind: 'job', template },
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
});

describe('fields of a Workflow', () => {
  const cases: readonly [what: string, lines: readonly string[], expected: object][] = [
    ['a failed last run counts for runs on change', ['trigger: {onChange: true}'], { health: { includeLastRun: true } }],
    ['and not for others', ['trigger: {onRequest: true}'], { health: { includeLastRun: false }, trigger: { onChange: false, onRequest: true } }],
    ['unless the spec says so', ['trigger: {onRequest: true}', 'health: {includeLastRun: true}'], { health: { includeLastRun: true } }],
    ['or says no', ['health: {includeLastRun: false}'], { health: { includeLastRun: false } }],
    [
      'reads schedules, with defaults',
      ['trigger: {schedules: ["30 2 * * *"]}'],
      { trigger: { onChange: false, schedule: { lines: ['30 2 * * *'], timeZone: 'Etc/UTC', concurrencyPolicy: 'Forbid', startingDeadline: undefined } } },
    ],
    [
      'reads all of a schedule',
      ['trigger: {schedules: ["0 4 * * 1-5", "0 6 * * 0"], timeZone: Europe/Berlin, concurrencyPolicy: Replace, startingDeadline: 10m}'],
      { trigger: { schedule: { lines: ['0 4 * * 1-5', '0 6 * * 0'], timeZone: 'Europe/Berlin', concurrencyPolicy: 'Replace', startingDeadline: 600_000 } } },
    ],
    ['reads what bounds a run', ['maxParallel: 7', 'concurrency: {max: 3}', 'onFailure: revert'], { maxParallel: 7, concurrency: { max: 3 }, onFailure: 'revert' }],
    ['reads outputs of the run, of any form', ['outputs: {day: $(run.scheduledDate), all: {list: [1, $(run.name)]}}'], { outputs: { day: '$(run.scheduledDate)', all: { list: [1, '$(run.name)'] } } }],
    [
      'reads parameters as JSON Schema',
      ['parameters:', '  day: {type: string, pattern: "^2", default: "2026-01-01"}', '  pods: {type: integer, minimum: 1}', '  note: {type: string, optional: true}', '  sizes: {type: array, items: {type: integer}, default: [1]}'],
      {
        parameters: {
          day: { type: 'string', schema: { type: 'string', pattern: '^2' }, default: '2026-01-01', optional: false },
          pods: { type: 'integer', schema: { type: 'integer', minimum: 1 }, default: undefined, optional: false },
          note: { type: 'string', schema: { type: 'string' }, default: undefined, optional: true },
          sizes: { type: 'array', schema: { type: 'array', items: { type: 'integer' } }, default: [1], optional: false },
        },
      },
    ],
    ['reads retention of runs', ['retention: {succeeded: {count: 1}}'], { retention: { succeeded: { count: 1, age: undefined } } }],
  ];
  it.each(cases)('%s', (_what, lines, expected) => {
    expect(validWorkflow(aWorkflow(...lines))).toMatchObject(expected);
  });
});

describe('fields of a step', () => {
  const cases: readonly [what: string, step: string, expected: object][] = [
    ['hyphens of its name are underscores in its id', '{name: load-all_2, job: {}}', { name: 'load-all_2', id: 'load_all_2' }],
    ['reads times', '{name: a, job: {}, timeout: 30m, startTimeout: 5s}', { timeout: 1_800_000, startTimeout: 5_000 }],
    ['keeps a timeout with references as a text', '{name: a, job: {}, timeout: $(run.name)}', { timeout: '$(run.name)' }],
    ['reads retry with its defaults', '{name: a, job: {}, retry: {attempts: 3}}', { retry: { ...once, attempts: 3 } }],
    [
      'reads all of retry',
      '{name: a, job: {}, retry: {attempts: 3, within: 1h, delay: 1s, factor: 1.5, maxDelay: 1m, exitCodes: {retry: [1, 2]}, onOOM: {maxMemory: 8Gi}}}',
      { retry: { attempts: 3, within: 3_600_000, delay: 1_000, factor: 1.5, maxDelay: 60_000, exitCodes: { retry: [1, 2] }, onOOM: { factor: 2, maxMemory: '8Gi' } } },
    ],
    ['reads exit codes that are final', '{name: a, job: {}, retry: {attempts: 2, exitCodes: {fail: [2]}}}', { retry: { exitCodes: { fail: [2] } } }],
    ['takes an amount of memory in bytes', '{name: a, job: {}, retry: {attempts: 2, onOOM: {factor: 3, maxMemory: 1000000}}}', { retry: { onOOM: { factor: 3, maxMemory: '1000000' } } }],
    ['reads outputs', '{name: a, job: {}, outputs: {rows: {type: integer, default: 0}, file: {type: string}}}', { outputs: { rows: { type: 'integer', default: 0 }, file: { type: 'string', default: undefined } } }],
    ['reads a failure that is allowed', '{name: a, job: {}, allowFailure: true}', { allowFailure: true }],
    ['is a sub-run', '{name: a, workflow: {name: other, parameters: {day: $(run.name)}}}', { work: { kind: 'subRun', target: { kind: 'workflow', name: 'other' }, parameters: { day: '$(run.name)' } } }],
    ['is a run of a template', '{name: a, template: {name: resize, parameters: {size: 3}}}', { work: { kind: 'subRun', target: { kind: 'template', name: 'resize' }, parameters: { size: 3 } } }],
    ['is a sub-run without parameters', '{name: a, workflow: {name: other}}', { work: { kind: 'subRun', target: { kind: 'workflow', name: 'other' }, parameters: {} } }],
    ['is an approval', '{name: a, approve: {message: Deploy?}, timeout: 1d}', { work: { kind: 'approve', message: 'Deploy?' }, timeout: 86_400_000 }],
    ['is an approval without a word', '{name: a, approve: {}}', { work: { kind: 'approve', message: '' } }],
    ['may have as many pods as it likes', '{name: a, job: {completions: 3, parallelism: 2, completionMode: Indexed}}', { work: { template: { spec: { completions: 3, parallelism: 2, completionMode: 'Indexed' } } } }],
  ];
  it.each(cases)('%s', (_what, step, expected) => {
    expect(validStep(step)).toMatchObject(expected);
  });

  it('undo is a job with the same defaults', () => {
    expect(validStep('{name: a, job: {}, undo: {job: {args: [x]}, retry: {attempts: 2}, timeout: 1m, startTimeout: 2m}}').undo).toMatchObject({
      template: { spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [{ image: 'busybox:1.37', args: ['x'] }] } } } },
      retry: { attempts: 2 },
      timeout: 60_000,
      startTimeout: 120_000,
    });
    expect(validStep('{name: a, job: {}, undo: {job: {}}}').undo).toMatchObject({ retry: once, timeout: undefined, startTimeout: 900_000 });
  });
});

describe('jobDefaults', () => {
  const containerOf = ({ work }: StepSpec): unknown => (work.kind === 'job' ? work.template : undefined);

  it('fill what a job does not say, field by field', () => {
    const { steps } = validWorkflow(aWorkflow('jobDefaults: {image: a, env: [{name: X, value: "1"}], nodeSelector: {zone: b}}', 'steps:', '  - {name: plain, job: {}}', '  - {name: own, job: {image: b, env: []}}'));
    expect(steps.map(containerOf)).toMatchObject([
      { spec: { template: { spec: { nodeSelector: { zone: 'b' }, containers: [{ image: 'a', env: [{ name: 'X', value: '1' }] }] } } } },
      { spec: { template: { spec: { nodeSelector: { zone: 'b' }, containers: [{ image: 'b', env: [] }] } } } },
    ]);
  });

  it('leave a jobTemplate alone', () => {
    const { steps } = validWorkflow(aWorkflow('steps:', '  - {name: whole, jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: b}]}}}}}'));
    expect(steps.map(containerOf)).toMatchObject([{ spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'b' }] } } } }]);
  });

  it('come before those of the operator', () => {
    const { steps } = validWorkflow(aWorkflow('jobDefaults: {image: acme/a, nodeSelector: {zone: b}}'), {}, { jobDefaults: { imageRegistry: 'r.example.com', nodeSelector: { zone: 'c', disk: 'ssd' } } });
    expect(steps.map(containerOf)).toMatchObject([{ spec: { template: { spec: { nodeSelector: { zone: 'b', disk: 'ssd' }, containers: [{ image: 'r.example.com/acme/a' }] } } } }]);
  });

  it('an image that a reference begins is left as it is: it may have a registry of its own', () => {
    const { steps } = validWorkflow(aWorkflow('parameters: {image: {type: string}}', 'jobDefaults: {image: $(params.image)}'), {}, { jobDefaults: { imageRegistry: 'r.example.com' } });
    expect(steps.map(containerOf)).toMatchObject([{ spec: { template: { spec: { containers: [{ image: '$(params.image)' }] } } } }]);
  });
});

describe('what a step waits for', () => {
  const dependsOn = (text: string): unknown => validWorkflow(text).steps.map(({ name, dependsOn: { all, phase, expression } }) => ({ name, all, ...(phase === undefined ? {} : { phase }), ...(expression ? { expression: expression.text } : {}) }));
  const first = '{name: load-all, job: {}, outputs: {rows: {type: integer}}}';

  it('a list, by either spelling of a name', () => {
    expect(dependsOn(withSteps(first, '{name: b, job: {}, dependsOn: [load-all]}', '{name: c, job: {}, dependsOn: [load_all, b]}'))).toEqual([
      { name: 'load-all', all: [] },
      { name: 'b', all: ['load-all'] },
      { name: 'c', all: ['load-all', 'b'] },
    ]);
  });

  it('an expression', () => {
    const { steps } = validWorkflow(withSteps(first, '{name: b, job: {}, dependsOn: "load-all.ok || load_all.failed"}'));
    expect(steps[1]?.dependsOn).toMatchObject({ all: [], phase: undefined, expression: { text: 'load-all.ok || load_all.failed', steps: ['load_all'] } });
  });

  const implied: readonly [what: string, step: string][] = [
    ['job', '{name: b, job: {args: [$(steps.load-all.outputs.rows)]}}'],
    ['job, inside a longer text', '{name: b, job: {args: ["rows=$(steps.load_all.outputs.rows)."]}}'],
    ['jobTemplate', '{name: b, jobTemplate: {spec: {parallelism: $(steps.load-all.outputs.rows), template: {spec: {containers: [{name: a, image: b}]}}}}}'],
    ['timeout', '{name: b, job: {}, timeout: $(steps.load-all.outputs.rows)s}'],
    ['parameters of a sub-run', '{name: b, workflow: {name: other, parameters: {a: [$(steps.load-all.outputs.rows)]}}}'],
    ['forEach.items', '{name: b, job: {}, forEach: {items: [$(steps.load-all.outputs.rows)]}}'],
    ['forEach.count', '{name: b, job: {}, forEach: {count: $(steps.load-all.outputs.rows)}}'],
    ['when', '{name: b, job: {}, when: "steps.load-all.outputs.rows > 0"}'],
  ];
  it.each(implied)('a step whose output it names in %s', (_what, step) => {
    expect(dependsOn(withSteps(first, step))).toMatchObject([{}, { all: ['load-all'] }]);
  });

  it('names such a step once, listed or not', () => {
    expect(dependsOn(withSteps(first, '{name: b, dependsOn: [load-all], when: "steps.load_all.outputs.rows > 0", job: {args: [$(steps.load-all.outputs.rows), $(steps.load-all.outputs.rows)]}}'))).toMatchObject([{}, { all: ['load-all'] }]);
  });

  it('leaves it to an expression that speaks of the step', () => {
    expect(dependsOn(withSteps(first, '{name: b, dependsOn: load-all.completed, job: {args: [$(steps.load-all.outputs.rows)]}}'))).toMatchObject([{}, { all: [] }]);
  });

  it('does not wait for what its undo names', () => {
    expect(dependsOn(withSteps(first, '{name: b, job: {}, undo: {job: {args: [$(steps.load-all.outputs.rows)]}}}'))).toMatchObject([{}, { all: [] }]);
  });

  it('the phase before', () => {
    const text = aWorkflow(
      'phases:',
      '  - {name: one, steps: [{name: a, job: {}}, {name: b, job: {}}]}',
      '  - {name: two, steps: [{name: c, job: {}}, {name: d, job: {}, dependsOn: [c]}]}',
      '  - {name: three, steps: [{name: e, job: {}, dependsOn: c.failed}, {name: f, job: {}, dependsOn: e.ok}, {name: g, job: {}, dependsOn: [a]}]}',
    );
    expect(dependsOn(text)).toEqual([
      { name: 'a', all: [] },
      { name: 'b', all: [] },
      { name: 'c', all: [], phase: 'one' },
      { name: 'd', all: ['c'], phase: 'one' },
      // An expression about an earlier phase stands in for the edge to the phase before …
      { name: 'e', all: [], expression: 'c.failed' },
      // … one about its own phase comes on top, as a list does.
      { name: 'f', all: [], phase: 'two', expression: 'e.ok' },
      { name: 'g', all: ['a'], phase: 'two' },
    ]);
    expect(validWorkflow(text).steps.map(({ phase }) => phase)).toEqual(['one', 'one', 'two', 'two', 'three', 'three', 'three']);
  });

  it('a phase may have the name of a step', () => {
    expect(dependsOn(aWorkflow('phases:', '  - {name: load, steps: [{name: load, job: {}}]}', '  - {name: check, steps: [{name: check, job: {}}]}'))).toEqual([
      { name: 'load', all: [] },
      { name: 'check', all: [], phase: 'load' },
    ]);
  });

  it('a step of finally waits by itself for the others: only edges among finally are kept', () => {
    const spec = validWorkflow(aWorkflow('steps:', `  - ${first}`, 'finally:', '  - {name: tell, job: {args: [$(steps.load-all.outputs.rows), $(run.outcome)]}, outputs: {id: {type: string}}}', '  - {name: tidy, when: run.outcome == "failed", job: {args: [$(steps.tell.outputs.id)]}}', '  - {name: page, job: {}, dependsOn: load-all.failed && tell.ok}'));
    expect(spec.finally.map(({ dependsOn: { all, expression } }) => ({ all, expression: expression?.text }))).toEqual([
      { all: [], expression: undefined },
      { all: ['tell'], expression: undefined },
      { all: [], expression: 'load-all.failed && tell.ok' },
    ]);
  });
});

describe('forEach', () => {
  const cases: readonly [what: string, step: string, expected: object][] = [
    ['items', 'forEach: {items: [a, {b: 1}]}', { source: { kind: 'items', items: ['a', { b: 1 }] }, maxParallel: undefined, shape: 'indexed' }],
    ['no items', 'forEach: {items: []}', { source: { kind: 'items', items: [] } }],
    ['from', 'forEach: {from: $(params.sizes)}', { source: { kind: 'from', reference: '$(params.sizes)' } }],
    ['count', 'forEach: {count: 5}', { source: { kind: 'count', count: 5 } }],
    ['count by reference', 'forEach: {count: $(params.pods)}', { source: { kind: 'count', count: '$(params.pods)' } }],
    ['maxParallel', 'forEach: {count: 5}, maxParallel: 2', { maxParallel: 2 }],
  ];
  const parsed = (step: string): unknown => validWorkflow(aWorkflow('parameters: {sizes: {type: array}, pods: {type: integer}, restarts: {type: string}}', 'steps:', `  - {name: a, ${/job:|jobTemplate:|workflow:/.test(step) ? '' : 'job: {}, '}${step}}`)).steps[0]?.forEach;

  it.each(cases)('%s', (_what, step, expected) => {
    expect(parsed(step)).toMatchObject(expected);
  });

  const shapes: readonly [what: string, step: string, shape: string][] = [
    ['an Indexed Job where only the item’s file differs', 'forEach: {count: 3}, job: {args: [$(params.pods)]}', 'indexed'],
    ['an Indexed Job where Kubernetes can try single indexes again', 'forEach: {count: 3}, retry: {attempts: 3}', 'indexed'],
    ['a Job for each item where the job names it', 'forEach: {count: 3}, job: {args: [$(item)]}', 'jobs'],
    ['a Job for each item where the job names a part of it', 'forEach: {items: [{id: 1}]}, job: {env: [{name: X, value: "x$(item.id)"}]}', 'jobs'],
    ['a Job for each item where the timeout names it', 'forEach: {items: [1m]}, timeout: $(item)', 'jobs'],
    ['a Job for each item where an attempt waits', 'forEach: {count: 3}, retry: {attempts: 3, delay: 1s}', 'jobs'],
    ['a Job for each item where exit codes count', 'forEach: {count: 3}, retry: {attempts: 3, exitCodes: {retry: [1]}}', 'jobs'],
    ['a Job for each item where containers start again in place, which Kubernetes counts over all items', 'forEach: {count: 3}, job: {restartPolicy: OnFailure}', 'jobs'],
    ['a Job for each item where that is so in a template', 'forEach: {count: 3}, jobTemplate: {spec: {template: {spec: {restartPolicy: OnFailure, containers: [{name: main, image: busybox}]}}}}', 'jobs'],
    ['a Job for each item where only the run knows whether it is so', 'forEach: {count: 3}, job: {restartPolicy: $(params.restarts)}', 'jobs'],
    ['an Indexed Job where a template leaves that open', 'forEach: {count: 3}, jobTemplate: {spec: {template: {spec: {containers: [{name: main, image: busybox}]}}}}', 'indexed'],
    ['a run for each item', 'forEach: {count: 3}, workflow: {name: other}', 'jobs'],
  ];
  it.each(shapes)('is %s', (_what, step, shape) => {
    expect(parsed(step)).toMatchObject({ shape });
  });
});

describe('the hash of a Workflow', () => {
  it('is that of the text alone where no file is named', () => {
    expect(parseWorkflow(aWorkflow(), {}).hash).toBe(parseWorkflow(aWorkflow(), { 'other.sh': 'x' }).hash);
  });
});
