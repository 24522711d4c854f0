import { describe, expect, it } from 'vitest';
import { mostItems } from '../../../../src/spec/workflow.ts';
import { aWorkflow, codes, parseWorkflow, withSteps } from './input.ts';

const job = 'job: {}';
const load = `{name: load, ${job}, outputs: {rows: {type: integer}, files: {type: array}, note: {type: string}}}`;

describe('a Workflow as a whole', () => {
  const cases: readonly [what: string, lines: readonly string[], expected: readonly string[]][] = [
    ['neither steps nor phases', ['steps:'], ['WrongType steps']],
    ['no steps', ['steps: []'], ['InvalidValue steps']],
    ['steps and phases', ['steps: [{name: a, job: {}}]', 'phases: [{name: p, steps: [{name: b, job: {}}]}]'], ['ConflictingFields phases']],
    ['a phase without steps', ['phases: [{name: p, steps: []}]'], ['InvalidValue phases[0].steps']],
    ['no trigger', ['trigger:'], ['WrongType trigger']],
    ['a trigger without anything', ['trigger: {}'], ['MissingField trigger']],
    ['a trigger that is off', ['trigger: {onChange: false}'], ['MissingField trigger']],
    ['schedules that are none', ['trigger: {schedules: ["0 25 * * *", "@daily", "* * * * * *", "0 0 30 2 *"]}'], ['InvalidValue trigger.schedules[0]', 'InvalidValue trigger.schedules[1]', 'InvalidValue trigger.schedules[2]', 'InvalidValue trigger.schedules[3]']],
    ['a time zone that is none', ['trigger: {schedules: ["0 2 * * *"], timeZone: Mars/Base}'], ['InvalidValue trigger.timeZone']],
    ['fields of schedules without schedules', ['trigger: {onChange: true, startingDeadline: 1m, concurrencyPolicy: Allow}'], ['ConflictingFields trigger.startingDeadline', 'ConflictingFields trigger.concurrencyPolicy']],
    ['a misspelt policy', ['trigger: {schedules: ["0 2 * * *"], concurrencyPolicy: forbid}'], ['InvalidValue trigger.concurrencyPolicy']],
    ['groups and priorities that are none', ['concurrency: {group: "g pu", priority: high}'], ['InvalidValue concurrency.group', 'WrongType concurrency.priority']],
    ['no runs at once', ['concurrency: {max: 0}'], ['InvalidValue concurrency.max']],
    ['a field of a Queue', ['drain: {}'], ['UnknownField drain']],
    ['reserved metadata', ['jobMetadata: {labels: {job-chief/run: x}}'], ['ReservedName jobMetadata.labels["job-chief/run"]']],
    ['two steps of one name', ['steps: [{name: a, job: {}}, {name: a, job: {}}]'], ['NameTaken steps[1].name']],
    ['two steps that are one to expressions', ['steps: [{name: a-b, job: {}}, {name: a_b, job: {}}]'], ['NameTaken steps[1].name']],
    ['a step and one of finally of one name', ['steps: [{name: a, job: {}}]', 'finally: [{name: a, job: {}}]'], ['NameTaken finally[0].name']],
    ['steps of one name in two phases', ['phases: [{name: p, steps: [{name: a, job: {}}]}, {name: q, steps: [{name: a, job: {}}]}]'], ['NameTaken phases[1].steps[0].name']],
    ['two phases of one name', ['phases: [{name: p, steps: [{name: a, job: {}}]}, {name: p, steps: [{name: b, job: {}}]}]'], ['NameTaken phases[1].name']],
    ['two parameters of one name', ['parameters: {a-b: {type: string}, a_b: {type: string}}'], ['NameTaken parameters.a_b']],
    ['names that begin with a digit', ['steps: [{name: 1st, job: {}}]'], ['InvalidValue steps[0].name']],
    ['names that are too long', [`steps: [{name: a${'b'.repeat(63)}, job: {}}]`], ['InvalidValue steps[0].name']],
    ['a name of a parameter with a blank', ['parameters: {"a b": {type: string}}'], ['InvalidValue parameters["a b"]']],
    ['a misspelt word of onFailure', ['onFailure: stopp'], ['InvalidValue onFailure']],
    ['steps with names that are words of the expressions', ['steps: [{name: in, job: {}}, {name: "true", job: {}}, {name: "null", job: {}}]', 'finally: [{name: "false", job: {}}]'], ['ReservedName steps[0].name', 'ReservedName steps[1].name', 'ReservedName steps[2].name', 'ReservedName finally[0].name']],
  ];
  it.each(cases)('%s', (_what, lines, expected) => {
    expect(codes(parseWorkflow(aWorkflow(...lines))).toSorted()).toEqual(expected.toSorted());
  });

  it('has steps with names that only begin with such words, or that CEL itself would not take', () => {
    expect(codes(parseWorkflow(withSteps('{name: true-north, job: {}}', '{name: input, job: {}}', '{name: import, job: {}}', '{name: has, job: {}}', '{name: all, job: {}, dependsOn: true-north.ok && input.ok && import.ok && has.ok}')))).toEqual([]);
  });

  it('has names of 63 characters', () => {
    expect(codes(parseWorkflow(aWorkflow(`steps: [{name: a${'b'.repeat(62)}, job: {}}]`)))).toEqual([]);
  });
});

describe('a step does exactly one thing', () => {
  const cases: readonly [what: string, step: string, expected: readonly string[]][] = [
    ['nothing', '{name: a}', ['MissingField steps[0].job']],
    ['two things', '{name: a, job: {image: x}, approve: {}}', ['ConflictingFields steps[0].approve']],
    ['a template that is only named', '{name: a, template: x}', ['WrongType steps[0].template']],
    ['a template as undo', '{name: a, job: {image: x}, undo: {template: {name: x}}}', ['RefusedField steps[0].undo.template', 'MissingField steps[0].undo.job']],
    ['a template with a Job of its own', '{name: a, template: {name: b}, job: {image: x}}', ['ConflictingFields steps[0].template']],
    ['files and startTimeout of a template', '{name: a, template: {name: b}, startTimeout: 1m}', ['ConflictingFields steps[0].startTimeout']],
    ['exit codes of a template', '{name: a, template: {name: b}, retry: {attempts: 2, exitCodes: {fail: [1]}}}', ['ConflictingFields steps[0].retry.exitCodes']],
    ['a misspelt thing', '{name: a, jobs: {image: b}}', ['UnknownField steps[0].jobs', 'MissingField steps[0].job']],
    ['no name', '{job: {image: x}}', ['MissingField steps[0].name']],
    ['a job without an image', '{name: a, job: {}}', ['MissingField steps[0].job.image']],
    ['an undo without an image', '{name: a, job: {image: x}, undo: {job: {}}}', ['MissingField steps[0].undo.job.image']],
    ['an undo without a job', '{name: a, job: {image: x}, undo: {}}', ['MissingField steps[0].undo.job']],
    ['an undo with two jobs', '{name: a, job: {image: x}, undo: {job: {image: x}, jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: b}]}}}}}}', ['ConflictingFields steps[0].undo.jobTemplate']],
    ['an undo with a dependency', '{name: a, job: {image: x}, undo: {job: {image: x}, dependsOn: [a]}}', ['UnknownField steps[0].undo.dependsOn']],
    ['forEach on an approval', '{name: a, approve: {}, forEach: {count: 2}}', ['ConflictingFields steps[0].forEach']],
    ['retry and outputs on an approval', '{name: a, approve: {}, retry: {attempts: 2}, outputs: {x: {type: string}}}', ['ConflictingFields steps[0].retry', 'ConflictingFields steps[0].outputs']],
    ['startTimeout on a sub-run', '{name: a, workflow: {name: b}, startTimeout: 1m}', ['ConflictingFields steps[0].startTimeout']],
    ['exit codes of a sub-run', '{name: a, workflow: {name: b}, retry: {attempts: 2, exitCodes: {fail: [1]}, onOOM: {maxMemory: 1Gi}}}', ['ConflictingFields steps[0].retry.exitCodes', 'ConflictingFields steps[0].retry.onOOM']],
    ['maxParallel without anything to count', '{name: a, job: {image: x}, maxParallel: 3}', ['ConflictingFields steps[0].maxParallel']],
    ['forEach without a source', '{name: a, job: {image: x}, forEach: {}}', ['MissingField steps[0].forEach.items']],
    ['forEach with two sources', '{name: a, job: {image: x}, forEach: {items: [1], count: 1}}', ['ConflictingFields steps[0].forEach.count']],
    ['forEach beside pods of the job', '{name: a, job: {image: x, completions: 3, parallelism: 2}, forEach: {count: 3}}', ['ConflictingFields steps[0].job.completions', 'ConflictingFields steps[0].job.parallelism']],
    ['forEach beside pods of a template', '{name: a, jobTemplate: {spec: {completionMode: Indexed, template: {spec: {containers: [{name: a, image: b}]}}}}, forEach: {count: 3}}', ['ConflictingFields steps[0].jobTemplate.spec.completionMode']],
    ['too many items by count', `{name: a, job: {image: x}, forEach: {count: ${mostItems + 1}}}`, ['InvalidValue steps[0].forEach.count']],
    ['a count below none', '{name: a, job: {image: x}, forEach: {count: -1}}', ['InvalidValue steps[0].forEach.count']],
    ['no list from a text', '{name: a, job: {image: x}, forEach: {from: files}}', ['InvalidValue steps[0].forEach.from']],
    ['a reference inside a text as a list', '{name: a, job: {image: x}, forEach: {from: "$(run.failedSteps)x"}}', ['InvalidValue steps[0].forEach.from', 'UnknownReference steps[0].forEach.from']],
    ['retry without attempts', '{name: a, job: {image: x}, retry: {delay: 1s}}', ['MissingField steps[0].retry.attempts']],
    ['both sorts of exit codes', '{name: a, job: {image: x}, retry: {attempts: 2, exitCodes: {retry: [1], fail: [2]}}}', ['ConflictingFields steps[0].retry.exitCodes.fail']],
    ['no sort of exit codes', '{name: a, job: {image: x}, retry: {attempts: 2, exitCodes: {}}}', ['MissingField steps[0].retry.exitCodes.retry']],
    ['exit code 0', '{name: a, job: {image: x}, retry: {attempts: 2, exitCodes: {retry: [0]}}}', ['InvalidValue steps[0].retry.exitCodes.retry[0]']],
    ['a growth below 1', '{name: a, job: {image: x}, retry: {attempts: 2, factor: 0.5}}', ['InvalidValue steps[0].retry.factor']],
    ['memory without a limit', '{name: a, job: {image: x}, retry: {attempts: 2, onOOM: {}}}', ['MissingField steps[0].retry.onOOM.maxMemory']],
    ['memory that is none', '{name: a, job: {image: x}, retry: {attempts: 2, onOOM: {maxMemory: 8 GB}}}', ['InvalidValue steps[0].retry.onOOM.maxMemory']],
    ['a timeout that is none', '{name: a, job: {image: x}, timeout: soon}', ['InvalidDuration steps[0].timeout']],
    ['a timeout out of bounds', '{name: a, job: {image: x}, timeout: 366d}', ['InvalidDuration steps[0].timeout']],
    ['an output without a type', '{name: a, job: {image: x}, outputs: {x: {}}}', ['MissingField steps[0].outputs.x.type']],
    ['a default of another type', '{name: a, job: {image: x}, outputs: {x: {type: integer, default: "3"}, z: {type: array, default: {}}}}', ['WrongType steps[0].outputs.x.default', 'WrongType steps[0].outputs.z.default']],
    ['a file under /job-chief', '{name: a, job: {image: x}, files: {/x/../job-chief/y: run.sh}}', ['ReservedName steps[0].files["/x/../job-chief/y"]', 'UnknownFile steps[0].files["/x/../job-chief/y"]']],
    ['a file at no absolute path', '{name: a, job: {image: x}, files: {app/run.sh: spec.yaml}}', ['InvalidValue steps[0].files["app/run.sh"]', 'UnknownFile steps[0].files["app/run.sh"]']],
    ['Kubernetes’ own timeout', '{name: a, job: {image: x, activeDeadlineSeconds: 3}}', ['RefusedField steps[0].job.activeDeadlineSeconds']],
    ['Kubernetes’ own retention', '{name: a, jobTemplate: {spec: {ttlSecondsAfterFinished: 3, template: {spec: {containers: [{name: a, image: b}]}}}}}', ['RefusedField steps[0].jobTemplate.spec.ttlSecondsAfterFinished']],
    ['a name of the Job', '{name: a, jobTemplate: {metadata: {name: x}, spec: {template: {spec: {containers: [{name: a, image: b}]}}}}}', ['RefusedField steps[0].jobTemplate.metadata.name']],
    ['a reserved variable', '{name: a, job: {image: x, env: [{name: JOB_CHIEF_X, value: ""}]}}', ['ReservedName steps[0].job.env[0].name']],
    ['a reserved mount in undo', '{name: a, job: {image: x}, undo: {job: {image: x, volumeMounts: [{name: v, mountPath: /job-chief}]}}}', ['ReservedName steps[0].undo.job.volumeMounts[0].mountPath']],
    ['a password in plain sight', '{name: a, job: {image: x, env: [{name: DB_PASSWORD, value: secret}]}}', ['LiteralCredential steps[0].job.env[0].value']],
    ['QUEUE_NAME is free', '{name: a, job: {image: x, env: [{name: QUEUE_NAME, value: a}]}}', []],
    ['a workflow that runs itself', '{name: a, workflow: {name: etl}}', ['DependencyCycle steps[0].workflow.name']],
  ];
  it.each(cases)('%s', (_what, step, expected) => {
    expect(codes(parseWorkflow(aWorkflow('jobDefaults: {}', 'steps:', `  - ${step}`))).toSorted()).toEqual(expected.toSorted());
  });

  it('undo has no place in finally', () => {
    expect(codes(parseWorkflow(aWorkflow('finally: [{name: z, job: {}, undo: {job: {}}}]')))).toEqual(['ConflictingFields finally[0].undo']);
  });

  it('what is wrong in jobDefaults is told once, there', () => {
    const text = aWorkflow('jobDefaults: {image: x, env: [{name: JOB_CHIEF_X, value: ""}], selector: {}}', 'steps: [{name: a, job: {}}, {name: b, job: {}, undo: {job: {}}}]');
    expect(codes(parseWorkflow(text)).toSorted()).toEqual(['RefusedField jobDefaults.selector', 'ReservedName jobDefaults.env[0].name']);
  });

  it('what jobDefaults and a job are together is told at the job', () => {
    const text = aWorkflow('jobDefaults: {image: x, restartPolicy: OnFailure}', 'steps: [{name: a, job: {podFailurePolicy: {rules: []}}}]');
    expect(codes(parseWorkflow(text))).toEqual(['ConflictingFields steps[0].job.podFailurePolicy']);
  });
});

describe('dependsOn and when', () => {
  const cases: readonly [what: string, step: string, expected: readonly string[]][] = [
    ['an unknown step in a list', `{name: a, ${job}, dependsOn: [lod]}`, ['UnknownStep steps[1].dependsOn[0]']],
    ['an expression in a list', `{name: a, ${job}, dependsOn: [load.ok]}`, ['UnknownStep steps[1].dependsOn[0]']],
    ['a step of finally', `{name: a, ${job}, dependsOn: [last]}`, ['UnknownStep steps[1].dependsOn[0]']],
    ['an unknown step in an expression', `{name: a, ${job}, dependsOn: lod.ok}`, ['InvalidExpression steps[1].dependsOn']],
    ['a step of finally in an expression', `{name: a, ${job}, dependsOn: last.ok}`, ['InvalidExpression steps[1].dependsOn']],
    ['an expression that cannot be read', `{name: a, ${job}, dependsOn: "load.ok &&"}`, ['InvalidExpression steps[1].dependsOn']],
    ['an expression that gives no boolean', `{name: a, ${job}, when: steps.load.outputs.rows}`, ['InvalidExpression steps[1].when']],
    ['types that do not go together', `{name: a, ${job}, when: 'steps.load.outputs.rows == "3"'}`, ['InvalidExpression steps[1].when']],
    ['an undeclared output', `{name: a, ${job}, when: steps.load.outputs.row > 1}`, ['InvalidExpression steps[1].when']],
    ['an undeclared parameter', `{name: a, ${job}, when: params.day != ""}`, ['InvalidExpression steps[1].when']],
    ['its own output', `{name: a, ${job}, outputs: {x: {type: integer}}, when: steps.a.outputs.x > 1}`, ['InvalidExpression steps[1].when']],
    ['what is known at the end only', `{name: a, ${job}, when: run.outcome == "failed"}`, ['InvalidExpression steps[1].when']],
    ['a long expression', `{name: a, ${job}, dependsOn: "load.ok${' || load.ok'.repeat(350)}"}`, []],
    ['an expression that is too long', `{name: a, ${job}, dependsOn: "load.ok${' || load.ok'.repeat(500)}"}`, ['InvalidExpression steps[1].dependsOn', 'InvalidValue steps[1].dependsOn']],
    ['an empty list', `{name: a, ${job}, dependsOn: []}`, []],
    ['something else', `{name: a, ${job}, dependsOn: {load: ok}}`, ['WrongType steps[1].dependsOn']],
    ['never true', `{name: a, ${job}, dependsOn: load.succeeded && load.failed}`, ['NeverStarts steps[1].dependsOn']],
    ['never', `{name: a, ${job}, dependsOn: "false"}`, ['NeverStarts steps[1].dependsOn']],
    ['true where a failure is allowed', `{name: a, ${job}, dependsOn: load.failed && load.ok}`, []],
    ['true where some items fail', `{name: a, ${job}, dependsOn: load.failed && load.anySucceeded}`, []],
  ];
  it.each(cases)('%s', (_what, step, expected) => {
    expect(codes(parseWorkflow(aWorkflow('steps:', `  - ${load}`, `  - ${step}`, 'finally: [{name: last, job: {}}]'))).toSorted()).toEqual(expected.toSorted());
  });

  it.each([
    ['plain', 'load.ok && lod.failed', 46],
    ['in double quotes', '"load.ok && lod.failed"', 47],
    ['in single quotes', "'load.ok && lod.failed'", 47],
  ])('the place is that inside the expression, %s', (_how, text, column) => {
    const { problems } = parseWorkflow(aWorkflow('steps:', `  - ${load}`, `  - {name: a, job: {}, dependsOn: ${text}}`));
    expect(problems).toMatchObject([{ code: 'InvalidExpression', message: 'there is no step "lod"', hint: 'did you mean "load"?', position: { line: 7, column } }]);
  });

  it('and its beginning where YAML rearranges the text', () => {
    const { problems } = parseWorkflow(aWorkflow('steps:', `  - ${load}`, '  - name: a', '    job: {}', '    dependsOn: >', '      load.ok &&', '      lod.failed'));
    expect(problems).toMatchObject([{ code: 'InvalidExpression', position: { line: 9, column: 16 } }]);
  });
});

describe('references', () => {
  const cases: readonly [what: string, step: string, expected: readonly string[]][] = [
    ['parameters, by either spelling', `{name: a, job: {args: [$(params.the-day), $(params.the_day)]}}`, []],
    ['an undeclared parameter', `{name: a, job: {args: [$(params.day)]}}`, ['UnknownReference steps[1].job.args[0]']],
    ['no parameter at all', `{name: a, job: {args: [$(params)]}}`, ['UnknownReference steps[1].job.args[0]']],
    ['a field of a mapping', `{name: a, job: {args: [$(params.db.host)]}}`, []],
    ['a field of a text', `{name: a, job: {args: [$(params.the-day.year)]}}`, ['UnknownReference steps[1].job.args[0]']],
    ['an undeclared output', `{name: a, job: {args: [$(steps.load.outputs.row)]}}`, ['UnknownReference steps[1].job.args[0]']],
    ['all outputs at once', `{name: a, job: {args: [$(steps.load.outputs)]}}`, ['UnknownReference steps[1].job.args[0]']],
    ['an outcome', `{name: a, job: {args: [$(steps.load.ok)]}}`, ['UnknownReference steps[1].job.args[0]']],
    ['an unknown step', `{name: a, job: {args: [$(steps.lod.outputs.rows)]}}`, ['UnknownReference steps[1].job.args[0]']],
    ['a step of finally', `{name: a, job: {args: [$(steps.last.outputs.x)]}}`, ['UnknownReference steps[1].job.args[0]']],
    ['its own output', `{name: a, job: {args: [$(steps.a.outputs.x)]}, outputs: {x: {type: string}}}`, ['UnknownReference steps[1].job.args[0]']],
    ['its own output, in undo', `{name: a, job: {}, outputs: {x: {type: string}}, undo: {job: {args: [$(steps.a.outputs.x), $(run.outcome)]}}}`, []],
    ['a step of finally, in undo', `{name: a, job: {}, undo: {job: {args: [$(steps.last.outputs.x)]}}}`, ['UnknownReference steps[1].undo.job.args[0]']],
    ['an item where there is none', `{name: a, job: {args: [$(item)]}}`, ['UnknownReference steps[1].job.args[0]']],
    ['an item of itself', `{name: a, job: {}, forEach: {items: [$(item)]}}`, ['UnknownReference steps[1].forEach.items[0]']],
    ['an item in undo, which is one job', `{name: a, job: {}, forEach: {count: 2}, undo: {job: {args: [$(item)]}}}`, ['UnknownReference steps[1].undo.job.args[0]']],
    ['a field of a number', `{name: a, job: {args: [$(item.id)]}, forEach: {count: 2}}`, ['UnknownReference steps[1].job.args[0]']],
    ['a message', `{name: a, job: {args: [$(message.body)]}}`, ['UnknownReference steps[1].job.args[0]']],
    ['fields of the run', `{name: a, job: {args: [$(run.name), $(run.scheduledDate), $(run.attempt)]}}`, []],
    ['an unknown field of the run', `{name: a, job: {args: [$(run.id)]}}`, ['UnknownReference steps[1].job.args[0]']],
    ['what is known at the end only', `{name: a, job: {args: [$(run.failedSteps)]}}`, ['UnknownReference steps[1].job.args[0]']],
    ['what cannot be read', `{name: a, job: {args: [$(params.a..b)]}}`, ['UnknownReference steps[1].job.args[0]']],
    ['too many pods at once', '{name: a, job: {}, forEach: {count: 1001}, retry: {attempts: 2}}', ['ManyPods steps[1].forEach']],
    ['many Jobs, of which a run has only so many', '{name: a, job: {args: [$(item)]}, forEach: {count: 1001}}', []],
    ['many pods, so many at a time', '{name: a, job: {}, forEach: {count: 1001}, maxParallel: 100}', []],
    ['pods that a cluster has room for', '{name: a, job: {}, forEach: {count: 1000}}', []],
    ['as many as something else says', '{name: a, job: {}, forEach: {from: $(steps.load.outputs.files)}}', []],
    ['a script', `{name: a, job: {command: [/bin/sh, -ec], args: ['echo $(params.the-day)']}}`, ['ReferenceInScript steps[1].job.args[0]']],
    ['a script of a template', `{name: a, jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: b, command: [bash, -x, -c, 'echo $(params.the-day) $(HOME)']}]}}}}}`, ['ReferenceInScript steps[1].jobTemplate.spec.template.spec.containers[0].command[3]']],
    ['beside a script', `{name: a, job: {command: [sh, -c, 'echo "$1"', sh, $(params.the-day)]}}`, []],
    ['an argument that only looks like a script', `{name: a, job: {command: [tar, -c, $(params.the-day)]}}`, []],
    ['what belongs to others', `{name: a, job: {args: [$(HOME), $$(params.x), '$(cat x)']}}`, []],
    ['where nothing is replaced', `{name: a, approve: {message: day $(params.the-day)}}`, ['UnreplacedReference steps[1].approve.message']],
    ['a whole job', `{name: a, job: $(params.db)}`, ['WrongType steps[1].job']],
    ['field names are never replaced', `{name: a, job: {nodeSelector: {$(params.x): b}}}`, []],
  ];
  it.each(cases)('%s', (_what, step, expected) => {
    const text = aWorkflow('parameters: {the-day: {type: string}, db: {type: object}}', 'steps:', `  - ${load}`, `  - ${step}`, 'finally: [{name: last, job: {args: [$(run.outcome), $(steps.load.outputs.rows)]}, outputs: {x: {type: string}}}]');
    expect(codes(parseWorkflow(text)).toSorted()).toEqual(expected.toSorted());
  });

  it('in jobDefaults are to what all steps have', () => {
    const text = aWorkflow('parameters: {tag: {type: string}}', 'jobDefaults: {image: "x:$(params.tag)", args: [$(run.name), $(steps.load.outputs.rows), $(item)]}', 'steps:', `  - ${load}`);
    expect(codes(parseWorkflow(text))).toEqual(['UnknownReference jobDefaults.args[1]', 'UnknownReference jobDefaults.args[2]']);
  });

  it('in outputs of the run may name every step', () => {
    const text = aWorkflow('steps:', `  - ${load}`, 'finally: [{name: last, job: {}, outputs: {x: {type: string}}}]', 'outputs: {rows: $(steps.load.outputs.rows), x: [$(steps.last.outputs.x), $(run.outcome)], z: $(steps.load.outputs.nothing)}');
    expect(codes(parseWorkflow(text))).toEqual(['UnknownReference outputs.z']);
  });

  it('have their place inside a longer text', () => {
    expect(parseWorkflow(withSteps('{name: a, job: {args: ["--day=$(params.day)"]}}')).problems[0]).toMatchObject({ message: 'there is no parameter "day"', position: { line: 6, column: 35 } });
  });
});

describe('references to typed fields', () => {
  const declared = 'parameters: {pods: {type: integer}, share: {type: number}, flag: {type: boolean}, text: {type: string}, map: {type: object}, list: {type: array}}';
  const wrong = (step: string): string[] => codes(parseWorkflow(aWorkflow(declared, 'steps:', `  - ${load}`, '  - {name: many, job: {}, forEach: {count: 2}, outputs: {rows: {type: integer}}}', `  - ${step}`)));

  const fine = [
    '{name: a, job: {parallelism: $(params.pods)}}',
    '{name: a, job: {parallelism: $(steps.load.outputs.rows)}}',
    '{name: a, job: {tty: $(params.flag)}}',
    '{name: a, job: {resources: $(params.map)}}',
    '{name: a, job: {args: $(params.list)}}',
    '{name: a, job: {args: $(steps.many.outputs.rows)}}',
    '{name: a, job: {args: [$(params.map), $(params.pods), $(params.flag)]}}',
    '{name: a, job: {resources: {limits: {memory: $(params.text)}, requests: {memory: "$(params.pods)Gi"}}}}',
    '{name: a, job: {imagePullPolicy: $(params.text)}}',
    '{name: a, job: {terminationGracePeriodSeconds: $(params.map.seconds)}}',
    '{name: a, job: {terminationGracePeriodSeconds: $(item.seconds)}, forEach: {items: [{seconds: 3}]}}',
    '{name: a, job: {terminationGracePeriodSeconds: $(item)}, forEach: {from: $(steps.load.outputs.files)}}',
    '{name: a, job: {terminationGracePeriodSeconds: $(item)}, forEach: {count: $(params.pods)}}',
    '{name: a, job: {backoffLimit: $(run.attempt)}}',
    '{name: a, job: {}, forEach: {from: $(params.list)}}',
    '{name: a, job: {}, forEach: {from: $(params.map.files)}}',
  ];
  it.each(fine)('%s', (step) => {
    expect(wrong(step)).toEqual([]);
  });

  const unfit: readonly [step: string, path: string][] = [
    ['{name: a, job: {parallelism: $(params.text)}}', 'job.parallelism'],
    ['{name: a, job: {parallelism: $(params.share)}}', 'job.parallelism'],
    ['{name: a, job: {parallelism: 1$(params.pods)}}', 'job.parallelism'],
    ['{name: a, job: {parallelism: $(steps.many.outputs.rows)}}', 'job.parallelism'],
    ['{name: a, job: {tty: $(params.pods)}}', 'job.tty'],
    ['{name: a, job: {resources: $(params.list)}}', 'job.resources'],
    ['{name: a, job: {args: $(params.text)}}', 'job.args'],
    ['{name: a, job: {}, undo: {job: {backoffLimit: $(params.text)}}}', 'undo.job.backoffLimit'],
    ['{name: a, jobTemplate: {spec: {backoffLimit: $(params.flag), template: {spec: {containers: [{name: a, image: b}]}}}}}', 'jobTemplate.spec.backoffLimit'],
    ['{name: a, job: {terminationGracePeriodSeconds: $(item)}, forEach: {items: [a]}}', 'job.terminationGracePeriodSeconds'],
    ['{name: a, job: {}, forEach: {from: $(params.text)}}', 'forEach.from'],
    ['{name: a, job: {}, forEach: {from: $(steps.load.outputs.rows)}}', 'forEach.from'],
    ['{name: a, job: {}, forEach: {count: $(params.share)}}', 'forEach.count'],
  ];
  it.each(unfit)('%s is wrong', (step, path) => {
    expect(wrong(step)).toEqual([`WrongType steps[2].${path}`]);
  });

  it('an unknown reference is one problem, not two', () => {
    expect(wrong('{name: a, job: {parallelism: $(params.nothing)}}')).toEqual(['UnknownReference steps[2].job.parallelism']);
  });
});

describe('parameters', () => {
  const cases: readonly [what: string, declared: string, expected: readonly string[]][] = [
    ['no type', '{}', ['MissingField parameters.x.type']],
    ['an unknown type', '{type: int}', ['InvalidValue parameters.x.type']],
    ['an unknown keyword', '{type: string, patern: a}', ['UnknownField parameters.x.patern']],
    ['a pattern that is none', '{type: string, pattern: "[", default: a}', ['InvalidValue parameters.x.pattern']],
    ['a pattern deep inside', '{type: array, items: {type: object, properties: {a: {type: string, pattern: "("}}}}', ['InvalidValue parameters.x.items.properties.a.pattern']],
    ['a default of another type', '{type: integer, default: "3"}', ['WrongType parameters.x.default']],
    ['a default out of bounds', '{type: integer, minimum: 5, default: 3}', ['InvalidValue parameters.x.default']],
    ['a default that is wrong deep inside', '{type: array, items: {type: integer}, default: [1, a]}', ['WrongType parameters.x.default[1]']],
    ['a default that is not among the values', '{type: string, enum: [a, b], default: c}', ['InvalidValue parameters.x.default']],
    ['an optional one with a default', '{type: string, default: a, optional: true}', ['ConflictingFields parameters.x.optional']],
    ['an object with all there is', '{type: object, properties: {a: {type: string}}, required: [a], additionalProperties: false, minProperties: 1, default: {a: b}}', []],
    ['a number of both sorts', '{type: number, exclusiveMinimum: 0, multipleOf: 0.5, default: 1.5}', []],
  ];
  it.each(cases)('%s', (_what, declared, expected) => {
    expect(codes(parseWorkflow(aWorkflow('parameters:', `  x: ${declared}`)))).toEqual(expected);
  });
});

describe('parameters without a default', () => {
  const cases: readonly [trigger: string, declared: string, expected: readonly string[]][] = [
    ['{onChange: true}', '{type: string}', ['MissingField parameters.x.default']],
    ['{schedules: ["0 2 * * *"], onRequest: true}', '{type: string}', ['MissingField parameters.x.default']],
    ['{onRequest: true}', '{type: string}', []],
    ['{onChange: true}', '{type: string, optional: true}', []],
    ['{onChange: true}', '{type: string, default: ""}', []],
  ];
  it.each(cases)('with trigger %s, declared as %s', (trigger, declared, expected) => {
    expect(codes(parseWorkflow(aWorkflow(`trigger: ${trigger}`, 'parameters:', `  x: ${declared}`)))).toEqual(expected);
  });
});

describe('every kind of problem at once', () => {
  it('is reported in one go', () => {
    const { problems } = parseWorkflow(aWorkflow('steps:', '  - {name: a, job: {imag: x, args: [$(params.x)]}, dependsOn: [b]}', '  - {name: b, job: {}, dependsOn: [a, c]}', '  - {name: c, jobFile: c.yaml, when: "1"}'));
    expect(problems.map(({ code }) => code).toSorted()).toEqual(['DependencyCycle', 'InvalidExpression', 'UnknownField', 'UnknownFile', 'UnknownReference']);
  });
});
