/** The command why, called as somebody at a terminal would, on a simulated cluster. */
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { exitCode } from '../../../../src/cli/exit-code.ts';
import { explainWhy, type ExplainOptions } from '../../../../src/cli/why.ts';
import type { ListQuery, ListResult } from '../../../../src/adapters/kubernetes/client.ts';
import type { Resource } from '../../../../src/adapters/kubernetes/resources.ts';
import { specView } from '../../../../src/cli/runs/spec-view.ts';
import type { JsonObject } from '../../../../src/lib/json.ts';
import type { PodScript } from '../../../../src/simulation/pod-script.ts';
import { configMaps } from '../../../../src/simulation/objects.ts';
import * as keys from '../../../../src/spec/keys.ts';
import { CommandLine } from '../../../support/command-line.ts';
import { chain, step, useWorkflows, type WorkflowScene } from '../../../support/workflow-scene.ts';

const stage = useWorkflows();
const endless: PodScript = { runs: 600_000 };

interface Document {
  readonly subject: string;
  readonly state: string;
  readonly reason?: string;
  readonly message?: string;
  readonly since?: string;
  readonly until?: string;
  readonly unblock?: string;
  readonly source: string;
  readonly because?: readonly Document[];
}

async function lines(scene: WorkflowScene, name: string, options: Partial<ExplainOptions> = {}): Promise<string[]> {
  const line = new CommandLine(scene.world);
  expect(await line.call((session) => explainWhy(session, { name, step: undefined, output: 'text', ...options }))).toBe(exitCode.ok);
  return line.printed();
}

async function why(scene: WorkflowScene, name: string, stepName?: string): Promise<Document> {
  const { reasons } = JSON.parse((await lines(scene, name, { step: stepName, output: 'json' })).join('\n')) as { reasons: Document[] };
  expect(reasons).toHaveLength(1);
  return reasons[0]!;
}

/** `subject reason` of each link, indented by depth. */
function chainOf({ subject, state, reason, because = [] }: Document, depth = 0): string[] {
  return [`${'  '.repeat(depth)}${subject} ${state} ${reason ?? '-'}`, ...because.flatMap((child) => chainOf(child, depth + 1))];
}

const queueText = (fields = ''): string => `apiVersion: job-chief/v1\nkind: Queue\nsource: {pgBoss: {connection: main, queue: q}}\ndrain: {}\n${fields}job: {image: worker:1}\n`;

/** A queue `mails` with messages, and pods that do as the script says. */
async function queueScene(script: PodScript, { fields = '', messages = 3, run = 30_000, quota }: { readonly fields?: string; readonly messages?: number; readonly run?: number; readonly quota?: number } = {}): Promise<WorkflowScene> {
  const scene = stage({ spec: 'none' });
  scene.world.cluster.script = () => script;
  if (quota !== undefined) scene.world.cluster.quota.set('count/jobs.batch', quota);
  const queue = scene.world.queue('q');
  if (messages > 0) queue.send(messages);
  scene.world.applyConfigMap('mails', queueText(fields));
  await scene.world.run(run);
  return scene;
}

describe('of a queue', () => {
  it('names its live Job and since when it runs', async () => {
    const found = await why(await queueScene(endless), 'mails');
    expect(chainOf(found)).toEqual(['queue/mails Running JobRunning', expect.stringMatching(/^ {2}job\/mails-.* Running JobRunning$/)]);
    expect(found.since).toBe(found.because?.[0]?.since);
    expect(found.source).toBe('live');
  });

  it.each<[string, PodScript, string, string]>([
    ['the scheduler', { unschedulable: { for: Infinity, message: '0/3 nodes are available: 3 Insufficient cpu.' } }, 'Unschedulable', 'Insufficient cpu'],
    ['the image', { image: { for: Infinity, message: 'no such image' } }, 'ImagePullBackOff', 'no such image'],
    ['its configuration', { config: { for: Infinity, message: 'secret "x" not found' } }, 'CreateContainerConfigError', 'secret "x" not found'],
  ])('says what its pod waits for: %s', async (_, script, reason, message) => {
    const { reason: first, because } = await why(await queueScene(script, { run: 10_000 }), 'queue/mails');
    expect(first).toBe('JobStarting');
    expect(because?.[0]?.until).toBeDefined();
    expect(because?.[0]?.because?.[0]).toMatchObject({ subject: expect.stringMatching(/^pod\//) as string, state: 'Pending', reason, message: expect.stringContaining(message) as string });
  });

  it('says until when it is left alone, and after which Jobs', async () => {
    const found = await why(await queueScene({ startsAfter: 5, runs: 100, exit: { code: 3 } }, { run: 8_000 }), 'mails');
    expect(chainOf(found)).toEqual(['queue/mails Waiting WaitAfterFailed', expect.stringMatching(/^ {2}job\/mails-.* Failed Error$/)]);
    expect(found.until).toMatch(/^2026-01-01T00:00:3/);
    expect(found.unblock).toBe('correct the worker; an edit of queue "mails" starts at once');
  });

  it('says that its breaker is open, when the next probe starts, and shows the Jobs that opened it', async () => {
    const found = await why(await queueScene({ startsAfter: 5, runs: 100, exit: { code: 3 } }, { fields: 'breaker: {failed: 2, probeEvery: 1h}\n', run: 120_000 }), 'mails');
    expect(chainOf(found).map((line) => line.replace(/mails-\w+/, 'JOB'))).toEqual(['queue/mails Blocked BreakerOpen', '  job/JOB Failed Error', '  job/JOB Failed Error']);
    expect(found.until).toMatch(/^2026-01-01T01:/);
  });

  it.each([
    ['it is suspended', 'suspend: true\n', { state: 'Suspended', reason: 'SpecSuspended', source: 'live' }],
    ['it is only observed', 'observe: true\n', { state: 'Idle', reason: 'SpecObserved', source: 'controller' }],
  ])('says that %s', async (_, fields, expected) => {
    expect(await why(await queueScene(endless, { fields }), 'mails')).toMatchObject(expected);
  });

  it("has the controller's word for what only it knows", async () => {
    expect(await why(await queueScene(endless, { messages: 0 }), 'mails')).toMatchObject({ state: 'Idle', reason: 'QueueEmpty', source: 'controller' });
    const scene = stage({ spec: 'none' });
    scene.world.applyConfigMap('mails', queueText());
    await scene.world.run(10_000);
    expect(await why(scene, 'mails')).toMatchObject({ state: 'Blocked', reason: 'QueueNotFound', message: 'queue "q" does not exist', source: 'controller' });
  });

  it('quotes the quota that refused its Job', async () => {
    const found = await why(await queueScene(endless, { quota: 0 }), 'mails');
    expect(found).toMatchObject({ state: 'Blocked', reason: 'QuotaExceeded', message: expect.stringContaining('exceeded quota') as string, unblock: 'have the quota raised, or lower what runs: kubectl describe quota -n default', source: 'controller' });
  });

  it('says what is wrong with its text', async () => {
    const scene = stage({ spec: 'none' });
    scene.world.applyConfigMap('mails', queueText().replace('image', 'imag'));
    expect(await why(scene, 'mails')).toMatchObject({ state: 'Rejected', reason: 'SpecRejected', message: expect.stringContaining('unknown field "imag"') as string });
  });

  it("has the controller's word for what follows from its configuration", async () => {
    const scene = stage({ spec: 'none', controller: 'none' });
    scene.world.applyConfigMap('mails', queueText());
    const { parsed } = specView(scene.world.configMap('mails') as unknown as JsonObject, 'default')!.claim;
    const status = JSON.stringify({ state: 'Rejected', reason: 'SpecRejected', message: 'there is no connection "main"', observedHash: parsed.hash });
    scene.world.cluster.registry.update(configMaps, 'mails', (object) => ({ ...object, metadata: { ...object.metadata, annotations: { [keys.statusAnnotation]: status } } }));
    expect(await why(scene, 'mails')).toMatchObject({ state: 'Rejected', message: 'there is no connection "main"', source: 'controller' });
  });

  it('says that no controller has looked at it, or at its present text', async () => {
    const scene = await queueScene(endless, { messages: 0 });
    scene.controller?.kill();
    scene.world.applyConfigMap('mails', queueText('startTimeout: 3m\n'));
    expect(await why(scene, 'mails')).toMatchObject({ state: 'Unknown', message: 'no controller has said anything about the text as it is now' });
    const other = stage({ spec: 'none', controller: 'none' });
    other.world.applyConfigMap('mails', queueText());
    expect(await why(other, 'mails')).toMatchObject({ state: 'Unknown', message: 'no controller looks after this namespace and instance, or it writes no status' });
  });

  it('tells of an older ConfigMap of the same name', async () => {
    const scene = await queueScene(endless);
    scene.world.applyConfigMap('mails-2', queueText('name: mails\n'));
    await scene.world.run(5_000);
    expect(chainOf(await why(scene, 'mails'))).toContain('  configmap/mails Superseded SpecSuperseded');
  });

  it('tells of a Job that outlives it', async () => {
    const scene = await queueScene(endless, { fields: 'onSpecDelete: finish\n' });
    scene.world.deleteConfigMap('mails');
    await scene.world.run(2_000);
    const line = new CommandLine(scene.world);
    expect(await line.complaint((session) => explainWhy(session, { name: 'mails', step: undefined, output: 'text' }))).toContain('there is no spec and no run "mails"');
  });
});

describe('of a workflow', () => {
  it('names the run that is under way, and what that waits for', async () => {
    const scene = stage({ steps: chain('a', 'b'), pods: { a: endless } });
    await scene.world.runUntil(() => scene.started.includes('a'));
    await scene.world.run(5_000);
    expect(chainOf(await why(scene, 'workflow/etl'))).toEqual(['workflow/etl Running WorkflowRunning', `  run/${scene.run.name} Running WaitsForSteps`, '    step/a Running JobRunning']);
  });

  it('says when its next run starts', async () => {
    const scene = stage({ spec: { trigger: { schedules: ['0 3 * * *'] }, steps: chain('a') } });
    await scene.world.run(5_000);
    expect(await why(scene, 'etl')).toMatchObject({ reason: 'WaitsForSchedule', until: '2026-01-01T03:00:00.000Z' });
  });

  it('says how to start one that waits for a request', async () => {
    const scene = stage({ spec: { trigger: { onRequest: true }, steps: chain('a') } });
    await scene.world.run(5_000);
    expect(await why(scene, 'etl')).toMatchObject({ reason: 'WaitsForRequest', unblock: 'job-chief run etl -n default' });
  });
});

describe('of a run', () => {
  const asked = { trigger: { onRequest: true }, concurrency: { max: 1 }, steps: chain('a') };

  async function ask(scene: WorkflowScene, name: string): Promise<void> {
    await new CommandLine(scene.world).call(({ runs }) => runs.create({ name, request: { workflow: 'etl', trigger: 'request' }, parameters: {}, data: undefined, owner: undefined }));
  }

  it('that is queued says its place, and who is before it', async () => {
    const scene = stage({ spec: asked, pods: { a: endless } });
    await ask(scene, 'etl-1');
    await scene.world.runUntil(() => scene.started.includes('a'));
    await ask(scene, 'etl-2');
    await scene.world.run(1_000);
    await ask(scene, 'etl-3');
    await scene.world.run(5_000);
    const found = await why(scene, 'etl-3');
    expect(found.message).toBe('number 2 of 2 that wait');
    expect(await why(scene, 'etl-3', 'a')).toEqual(found);
    expect(chainOf(found)).toEqual(['run/etl-3 Queued RunQueued', '  workflow/etl Running WorkflowRunning', '    run/etl-1 Running -']);
  });

  it('that is suspended says how it goes on', async () => {
    const scene = stage({ steps: chain('a', 'b'), pods: { a: endless } });
    await scene.world.runUntil(() => scene.started.includes('a'));
    scene.annotate(scene.run.name, { [keys.suspendAnnotation]: 'true' });
    await scene.world.run(2_000);
    expect(await why(scene, `run/${scene.run.name}`)).toMatchObject({ reason: 'RunSuspended', unblock: `job-chief resume ${scene.run.name} -n default` });
  });

  it('that has failed names the step, and how to go on', async () => {
    const scene = stage({ steps: chain('a', 'b'), pods: { a: { exit: { code: 3, message: 'no rows' } } } });
    await scene.finished();
    const found = await why(scene, scene.run.name);
    expect(chainOf(found)).toEqual([`run/${scene.run.name} Failed RunFailed`, '  step/a Failed Error']);
    expect(found.because?.[0]?.message).toContain('no rows');
    expect(found.unblock).toBe(`job-chief rerun ${scene.run.name} -n default`);
  });

  it('says which step waits for somebody, and the command that ends it', async () => {
    const scene = stage({ steps: [step('go', { approve: { message: 'really?' } }), step('b', { dependsOn: ['go'] })] });
    await scene.world.run(5_000);
    const found = await why(scene, scene.run.name, 'b');
    expect(chainOf(found)).toEqual(['step/b Waiting WaitsForSteps', '  step/go Waiting WaitsForApproval']);
    expect(found.because?.[0]).toMatchObject({ message: 'really?', unblock: `job-chief approve ${scene.run.name} go -n default` });
  });

  it('tells once of a step that several others wait for, and of five of many', async () => {
    const many = Array.from({ length: 8 }, (_, index) => step(`x${index}`, { dependsOn: ['a'] }));
    const scene = stage({ steps: [step('a'), step('b', { dependsOn: ['a'] }), step('c', { dependsOn: ['b', 'a'] }), ...many, step('z', { dependsOn: many.map(({ name }) => name as string) })], pods: { a: endless } });
    await scene.world.runUntil(() => scene.started.includes('a'));
    await scene.world.run(2_000);
    expect(chainOf(await why(scene, scene.run.name, 'c'))).toEqual(['step/c Waiting WaitsForSteps', '  step/a Running JobRunning', '  step/b Waiting WaitsForSteps']);
    const found = chainOf(await why(scene, scene.run.name, 'z'));
    expect(found.filter((line) => line.includes('step/a '))).toHaveLength(1);
    expect(found.at(-1)).toBe('  … and 3 more steps  -');
  });

  it('follows a step to its sub-run, and to the step there', async () => {
    const scene = stage({ spec: 'none' });
    scene.apply({ trigger: { onRequest: true }, steps: [step('inner')] }, 'other');
    scene.apply({ steps: [step('sub', { workflow: { name: 'other' } })] });
    scene.pods['inner'] = endless;
    await scene.world.runUntil(() => scene.started.includes('inner'));
    await scene.world.run(3_000);
    const [, , , last] = chainOf(await why(scene, scene.runOf('etl').name));
    expect(last).toBe('      step/inner Running JobRunning');
  });

  it('says that a step waits for its next attempt, and until when', async () => {
    const scene = stage({ steps: [step('a', { retry: { attempts: 3, delay: '10m' } })], pods: { a: { exit: { code: 3 } } } });
    await scene.world.run(10_000);
    const found = await why(scene, scene.run.name);
    expect(found).toMatchObject({ reason: 'WaitsForRetry', until: expect.stringMatching(/^2026-01-01T00:05/) as string });
    expect(found.because?.[0]).toMatchObject({ subject: 'step/a', state: 'Retrying', until: found.until });
  });

  it('says what keeps pods of a step from starting', async () => {
    const scene = stage({ steps: [step('a')], pods: { a: { unschedulable: { for: Infinity, message: '0/3 nodes are available.' } } } });
    await scene.world.run(10_000);
    expect(chainOf(await why(scene, scene.run.name))).toEqual([`run/${scene.run.name} Running JobStarting`, '  step/a Starting JobStarting', expect.stringMatching(/^ {4}pod\/.* Pending Unschedulable$/)]);
  });

  it('names the quota that keeps its Job away', async () => {
    const scene = stage({ steps: [step('a')], controller: 'none' });
    scene.world.cluster.quota.set('count/jobs.batch', 0);
    scene.start();
    await scene.world.run(5_000);
    const line = new CommandLine(scene.world);
    const { client } = line.session.runs;
    const list = client.list.bind(client);
    const full: ListResult = { kind: 'page', page: { items: [{ metadata: { name: 'compute', uid: 'u' }, status: { hard: { 'count/jobs.batch': '4', cpu: '2' }, used: { 'count/jobs.batch': '4', cpu: '1500m' } } }], resourceVersion: '1', continue: undefined } };
    // The simulated cluster has a quota, but no object that tells of it.
    Object.assign(client, { list: (resource: Resource, query: ListQuery) => (resource.plural === 'resourcequotas' ? Promise.resolve(full) : list(resource, query)) });
    await line.call((session) => explainWhy(session, { name: scene.run.name, step: 'a', output: 'text' }));
    expect(line.printed()).toEqual(expect.arrayContaining([expect.stringMatching(/^step\/a is Waiting \(StepDue\)/), '  resourcequota/compute is Full', '    count/jobs.batch: 4 of 4']));
  });

  it('is bounded, however many steps are open', async () => {
    const scene = stage({ steps: Array.from({ length: 40 }, (_, index) => step(`s${index}`)), pods: Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`s${index}`, endless])) });
    await scene.world.runUntil(() => scene.started.length === 40);
    await scene.world.run(3_000);
    const { because } = await why(scene, scene.run.name);
    expect(because).toHaveLength(6);
    expect(because?.at(-1)?.subject).toBe('… and 35 more steps');
  });

  it('whose record cannot be read says so', async () => {
    const scene = stage({ steps: chain('a'), pods: { a: endless } });
    await scene.world.runUntil(() => scene.started.includes('a'));
    scene.controller?.kill();
    scene.world.cluster.registry.update(configMaps, scene.run.name, (object) => ({ ...object, data: { ...(object['data'] as JsonObject), [keys.stateKey]: '{' } }));
    expect(await why(scene, scene.run.name)).toMatchObject({ reason: 'RunUnreadable', message: 'the state in its record cannot be read' });
  });
});

describe('of templates, and of Runs that ask for them', () => {
  const template = 'apiVersion: job-chief/v1\nkind: Template\nparameters: {size: {type: integer}}\njob: {image: resize:1, args: ["$(params.size)"]}\n';
  const runText = (fields: string): string => `apiVersion: job-chief/v1\nkind: Run\n${fields}`;

  it('says what a Run waits for before its run is asked for', async () => {
    const scene = stage({ spec: 'none' });
    scene.world.applyConfigMap('big', runText('template: resize\nparameters: {size: 3}\n'));
    await scene.world.run(3_000);
    expect(await why(scene, 'run/big')).toMatchObject({ subject: 'run/big', state: 'Waiting', reason: 'TargetUnknown', unblock: expect.stringContaining('apply the spec that it names') as string });
    scene.world.applyConfigMap('resize', template);
    scene.world.applyConfigMap('big', runText('template: resize\nparameters: {size: huge}\n'));
    await scene.world.run(3_000);
    expect(await why(scene, 'run/big')).toMatchObject({ state: 'Rejected', reason: 'ParametersRefused', message: expect.stringContaining('size') as string });
  });

  it('follows a Run to its run, and to the Job of that', async () => {
    const scene = stage({ spec: 'none' });
    scene.world.cluster.script = () => endless;
    scene.world.applyConfigMap('resize', template);
    scene.world.applyConfigMap('big', runText('template: resize\nparameters: {size: 3}\n'));
    await scene.world.run(5_000);
    const record = scene.records[0]?.metadata.name ?? '';
    expect(chainOf(await why(scene, 'big'))).toEqual(['run/big Running RunStarted', `  run/${record} Running WaitsForSteps`, '    step/job Running JobRunning']);
    expect(chainOf(await why(scene, 'template/resize')).slice(0, 2)).toEqual(['template/resize Running TemplateRunning', `  run/${record} Running WaitsForSteps`]);
    expect(await why(scene, record, 'job')).toMatchObject({ subject: 'step/job', reason: 'JobRunning' });
  });
});

describe('of what limits hold up', () => {
  const limitsText = (fields: string): string => `apiVersion: job-chief/v1\nkind: Limits\n${fields}`;

  async function limited(fields: string): Promise<WorkflowScene> {
    const scene = stage({ spec: 'none' });
    scene.world.applyConfigMap('limits', limitsText(fields));
    scene.apply({ trigger: { onRequest: true }, concurrency: { max: 9, group: 'gpu' }, steps: [step('a')] });
    scene.pods['a'] = endless;
    for (const name of ['etl-1', 'etl-2']) {
      await new CommandLine(scene.world).call(({ runs }) => runs.create({ name, request: { workflow: 'etl', trigger: 'request' }, parameters: {}, data: undefined, owner: undefined }));
      await scene.world.run(3_000);
    }
    return scene;
  }

  it('names who holds the places of its group', async () => {
    const found = await why(await limited('groups: {gpu: 1}\n'), 'etl-2');
    expect(found).toMatchObject({ reason: 'GroupFull', message: expect.stringContaining('1 of 1 Jobs of group "gpu" are live: 1 of workflow etl') as string });
    expect(found.because?.[0]).toMatchObject({ subject: 'step/a', reason: 'GroupFull', unblock: expect.stringContaining("raise the group's limit") as string });
  });

  it('says how much of a Limits is used', async () => {
    const scene = await limited('maxJobs: 5\ngroups: {gpu: 1, cpu: 3}\n');
    expect(chainOf(await why(scene, 'limits/limits'))).toEqual(['limits/limits Idle LimitsInForce', '  maxJobs Free -', '  groups.cpu Free -', '  groups.gpu Full GroupFull']);
  });

  it.each([
    ['suspends the instance', 'groups: {gpu: 1}\nsuspend: true\n', 'InstanceSuspended'],
    ['is broken', 'groups: 3\n', 'LimitsBroken'],
    ['does not know its group', 'groups: {cpu: 1}\n', 'GroupUnknown'],
  ])('says that a Limits %s', async (_, fields, reason) => {
    const scene = stage({ spec: 'none', controller: 'none' });
    scene.world.applyConfigMap('limits', limitsText(fields));
    scene.apply({ trigger: { onRequest: true }, concurrency: { group: 'gpu' }, steps: [step('a')] });
    expect(await why(scene, 'etl')).toMatchObject({ reason, source: 'live' });
  });
});

describe('why', () => {
  it('prints what is about what by indentation', async () => {
    const scene = stage({ steps: [step('go', { approve: { message: 'really?' } })] });
    await scene.world.run(30_000);
    expect(await lines(scene, scene.run.name)).toEqual([
      `run/${scene.run.name} is Running (WaitsForApproval)`,
      '  "go" waits to be approved',
      expect.stringMatching(/^ {2}since: {4}2026-01-01T00:00:00\.\d{3}Z \((29|30)s\)$/),
      `  to do:    job-chief approve ${scene.run.name} go -n default`,
      '  step/go is Waiting (WaitsForApproval)',
      '    really?',
      expect.stringMatching(/^ {4}since: {4}2026-/),
    ]);
  });

  it('answers in YAML as in JSON', async () => {
    const scene = stage({ steps: chain('a') });
    await scene.finished();
    expect(parse((await lines(scene, 'etl', { output: 'yaml' })).join('\n'))).toEqual(JSON.parse((await lines(scene, 'etl', { output: 'json' })).join('\n')));
  });

  it('explains both where a queue and a workflow have one name', async () => {
    const scene = stage({ steps: chain('a') });
    scene.world.applyConfigMap('etl-queue', queueText('name: etl\n'));
    await scene.world.run(5_000);
    const text = await lines(scene, 'etl');
    expect(text.filter((line) => /^\w+\/etl is /.test(line))).toHaveLength(2);
  });

  it.each([
    ['a name that nothing has', { name: 'elt' }, /^there is no spec and no run "elt" in namespace default; did you mean "etl"\?$/],
    ['a kind that the name does not have', { name: 'queue/etl' }, /^there is no queue "etl" in namespace default; did you mean "workflow\/etl"\?$/],
    ['a kind that does not exist', { name: 'workflw/etl' }, /^there is no kind "workflw"; did you mean "workflow\/etl"\?$/],
    ['a step of what is no run', { name: 'etl', step: 'a' }, /^"etl" is no run, and only runs have steps/],
  ])('complains of %s', async (_, options, message) => {
    const scene = stage({ steps: chain('a') });
    await scene.finished();
    expect(await new CommandLine(scene.world).complaint((session) => explainWhy(session, { step: undefined, output: 'text', ...options }))).toMatch(message);
  });

  it('complains of a step that the run does not have', async () => {
    const scene = stage({ steps: chain('load', 'b') });
    await scene.finished();
    expect(await new CommandLine(scene.world).complaint((session) => explainWhy(session, { name: scene.run.name, step: 'laod', output: 'text' }))).toBe('the run has no step "laod"; did you mean "load"?');
  });

  it.each(['jobs', 'pods', 'configmaps'])('takes nothing for empty that it may not list: %s', async (resource) => {
    const scene = stage({ steps: chain('a') });
    await scene.finished();
    scene.world.cluster.allows = (access) => !(access.resource === resource && access.verb === 'list');
    expect(await new CommandLine(scene.world).complaint((session) => explainWhy(session, { name: 'etl', step: undefined, output: 'text' }))).toContain(`cannot list ${resource} in namespace default`);
  });

  it('reads, and writes nothing', async () => {
    const scene = stage({ steps: chain('a', 'b'), pods: { b: endless } });
    await scene.world.runUntil(() => scene.started.includes('b'));
    scene.controller?.kill();
    const before = scene.world.requests.length;
    await lines(scene, 'etl');
    expect(scene.world.requests.slice(before).map(({ method }) => method)).toEqual(scene.world.requests.slice(before).map(() => 'GET'));
    expect(scene.world.requests.length).toBeGreaterThan(before);
  });
});
