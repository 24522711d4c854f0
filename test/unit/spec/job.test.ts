import { describe, expect, it } from 'vitest';
import { mergeJobDefaults } from '../../../src/spec/job-defaults.ts';
import { expandRecipe, withJobDefaults } from '../../../src/spec/job-recipe.ts';
import { reservedMetadataOwner } from '../../../src/spec/job-rules.ts';
import type { JobDefaults } from '../../../src/spec/common.ts';
import type { JsonObject } from '../../../src/lib/json.ts';
import { aQueue, codes, parse, validQueue } from './input.ts';

const podOf = (template: JsonObject): JsonObject => (template as { spec: { template: { spec: JsonObject } } }).spec.template.spec;

describe('the flat recipe', () => {
  const cases: readonly [what: string, recipe: JsonObject, template: JsonObject][] = [
    ['puts container fields into the container main', { image: 'a', command: ['b'], env: [] }, { spec: { template: { spec: { containers: [{ name: 'main', image: 'a', command: ['b'], env: [] }] } } } }],
    ['puts pod fields into the pod', { image: 'a', nodeSelector: { x: 'y' }, volumes: [] }, { spec: { template: { spec: { nodeSelector: { x: 'y' }, volumes: [], containers: [{ name: 'main', image: 'a' }] } } } }],
    ['puts Job fields into the Job', { image: 'a', backoffLimit: 3, managedBy: 'kueue.x-k8s.io/multikueue' }, { spec: { backoffLimit: 3, managedBy: 'kueue.x-k8s.io/multikueue', template: { spec: { containers: [{ name: 'main', image: 'a' }] } } } }],
    ['takes resources and securityContext for the container’s', { image: 'a', resources: { limits: { cpu: 1 } }, securityContext: { runAsUser: 1 } }, { spec: { template: { spec: { containers: [{ name: 'main', image: 'a', resources: { limits: { cpu: 1 } }, securityContext: { runAsUser: 1 } }] } } } }],
    ['has names of their own for the pod’s', { image: 'a', podResources: { limits: { cpu: 1 } }, podSecurityContext: { fsGroup: 1 } }, { spec: { template: { spec: { resources: { limits: { cpu: 1 } }, securityContext: { fsGroup: 1 }, containers: [{ name: 'main', image: 'a' }] } } } }],
    ['takes restartPolicy for the pod’s', { image: 'a', restartPolicy: 'OnFailure' }, { spec: { template: { spec: { restartPolicy: 'OnFailure', containers: [{ name: 'main', image: 'a' }] } } } }],
    ['keeps init containers in the pod', { image: 'a', initContainers: [{ name: 'b', image: 'c' }] }, { spec: { template: { spec: { initContainers: [{ name: 'b', image: 'c' }], containers: [{ name: 'main', image: 'a' }] } } } }],
  ];
  it.each(cases)('%s', (_what, recipe, template) => {
    expect(expandRecipe(recipe)).toEqual(template);
  });
});

describe('defaults of a Job', () => {
  const policy = { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }] };
  const cases: readonly [what: string, template: JsonObject, expected: JsonObject][] = [
    ['fill an empty template', {}, { spec: { backoffLimit: 0, podFailurePolicy: policy, template: { spec: { restartPolicy: 'Never' } } } }],
    ['keep what is set', { spec: { backoffLimit: 2, podFailurePolicy: { rules: [] }, template: { spec: {} } } }, { spec: { backoffLimit: 2, podFailurePolicy: { rules: [] }, template: { spec: { restartPolicy: 'Never' } } } }],
    ['leave the policy out where Kubernetes refuses it', { spec: { template: { spec: { restartPolicy: 'OnFailure' } } } }, { spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'OnFailure' } } } }],
    ['keep metadata', { metadata: { labels: { a: 'b' } }, spec: { template: { metadata: { labels: { c: 'd' } }, spec: {} } } }, { metadata: { labels: { a: 'b' } }, spec: { backoffLimit: 0, podFailurePolicy: policy, template: { metadata: { labels: { c: 'd' } }, spec: { restartPolicy: 'Never' } } } }],
  ];
  it.each(cases)('%s', (_what, template, expected) => {
    expect(withJobDefaults(template)).toEqual(expected);
  });

  it.each([
    ['job', 'job: {image: x, backoffLimit: 4}'],
    ['jobTemplate', 'jobTemplate: {spec: {backoffLimit: 4, template: {spec: {containers: [{name: main, image: x}]}}}}'],
  ])('are the same in %s', (_form, line) => {
    expect(validQueue(aQueue(line)).jobTemplate).toEqual({
      spec: { backoffLimit: 4, podFailurePolicy: policy, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'x' }] } } },
    });
  });

  it('never set completions', () => {
    expect(JSON.stringify(validQueue(aQueue('drain: {pods: {min: 3, max: 5}}')).jobTemplate)).not.toMatch(/completions|parallelism/);
  });
});

describe('jobDefaults of the operator', () => {
  const aTemplate = (pod: JsonObject = {}, container: JsonObject = {}): JsonObject => ({ spec: { template: { spec: { containers: [{ name: 'main', image: 'worker:1', ...container }], ...pod } } } });
  const cases: readonly [what: string, defaults: JobDefaults, template: JsonObject, pod: JsonObject][] = [
    ['add nothing where there are none', {}, aTemplate(), { containers: [{ name: 'main', image: 'worker:1' }] }],
    ['name a registry', { imageRegistry: 'r.example.com' }, aTemplate(), { containers: [{ name: 'main', image: 'r.example.com/worker:1' }] }],
    ['name one for folders too', { imageRegistry: 'r.example.com' }, aTemplate({}, { image: 'acme/worker' }), { containers: [{ name: 'main', image: 'r.example.com/acme/worker' }] }],
    ['keep a registry with a dot', { imageRegistry: 'r.example.com' }, aTemplate({}, { image: 'ghcr.io/worker' }), { containers: [{ name: 'main', image: 'ghcr.io/worker' }] }],
    ['keep a registry with a port', { imageRegistry: 'r.example.com' }, aTemplate({}, { image: 'registry:5000/worker' }), { containers: [{ name: 'main', image: 'registry:5000/worker' }] }],
    ['keep localhost', { imageRegistry: 'r.example.com' }, aTemplate({}, { image: 'localhost/worker' }), { containers: [{ name: 'main', image: 'localhost/worker' }] }],
    ['reach init containers', { imageRegistry: 'r.example.com' }, aTemplate({ initContainers: [{ name: 'a', image: 'b' }] }), { initContainers: [{ name: 'a', image: 'r.example.com/b' }], containers: [{ name: 'main', image: 'r.example.com/worker:1' }] }],
    ['name pull secrets', { imagePullSecrets: ['a', 'b'] }, aTemplate(), { imagePullSecrets: [{ name: 'a' }, { name: 'b' }], containers: [{ name: 'main', image: 'worker:1' }] }],
    ['keep pull secrets', { imagePullSecrets: ['a'] }, aTemplate({ imagePullSecrets: [] }), { imagePullSecrets: [], containers: [{ name: 'main', image: 'worker:1' }] }],
    ['give resources', { resources: { limits: { cpu: 1 } } }, aTemplate(), { containers: [{ name: 'main', image: 'worker:1', resources: { limits: { cpu: 1 } } }] }],
    ['keep resources as a whole', { resources: { requests: { memory: '1Gi' } } }, aTemplate({}, { resources: { limits: { memory: '512Mi' } } }), { containers: [{ name: 'main', image: 'worker:1', resources: { limits: { memory: '512Mi' } } }] }],
    ['give no container resources within a budget of the pod', { resources: { limits: { cpu: 4 } } }, aTemplate({ resources: { limits: { cpu: 1 } } }), { resources: { limits: { cpu: 1 } }, containers: [{ name: 'main', image: 'worker:1' }] }],
    ['add node labels by key', { nodeSelector: { pool: 'batch', disk: 'hdd' } }, aTemplate({ nodeSelector: { disk: 'ssd' } }), { nodeSelector: { pool: 'batch', disk: 'ssd' }, containers: [{ name: 'main', image: 'worker:1' }] }],
    ['give tolerations', { tolerations: [{ operator: 'Exists' }] }, aTemplate(), { tolerations: [{ operator: 'Exists' }], containers: [{ name: 'main', image: 'worker:1' }] }],
    ['keep tolerations', { tolerations: [{ operator: 'Exists' }] }, aTemplate({ tolerations: [] }), { tolerations: [], containers: [{ name: 'main', image: 'worker:1' }] }],
  ];
  it.each(cases)('%s', (_what, defaults, template, pod) => {
    expect(podOf(mergeJobDefaults(template, defaults))).toEqual(pod);
  });

  it('label Job and pods, and keep labels that are there', () => {
    const template: JsonObject = { metadata: { labels: { team: 'images' } }, spec: { template: { metadata: { annotations: { a: 'b' } }, spec: { containers: [] } } } };
    expect(mergeJobDefaults(template, { labels: { team: 'platform', cost: '1' } })).toEqual({
      metadata: { labels: { team: 'images', cost: '1' } },
      spec: { template: { metadata: { labels: { team: 'platform', cost: '1' }, annotations: { a: 'b' } }, spec: { containers: [] } } },
    });
  });

  it('change nothing in what they are given', () => {
    const template = aTemplate({ nodeSelector: { a: 'b' } });
    const before = structuredClone(template);
    mergeJobDefaults(template, { imageRegistry: 'r', nodeSelector: { c: 'd' }, labels: { e: 'f' }, resources: {} });
    expect(template).toEqual(before);
  });

  it('are part of the parsed spec', () => {
    const spec = validQueue(aQueue('job: {image: worker:1}'), {}, { jobDefaults: { imageRegistry: 'r.example.com' } });
    expect(podOf(spec.jobTemplate)['containers']).toEqual([{ name: 'main', image: 'r.example.com/worker:1' }]);
  });
});

describe('keys of labels and annotations', () => {
  const cases: readonly [key: string, owner: string | undefined][] = [
    ['team', undefined],
    ['example.com/job-chief', undefined],
    ['app.kubernetes.io/name', undefined],
    ['app.kubernetes.io/part-of', undefined],
    ['kueue.x-k8s.io/queue-name', undefined],
    ['argocd.argoproj.io/ignore-resource-updates', undefined],
    ['job-chief', 'job-chief'],
    ['job-chief/name', 'job-chief'],
    ['job-chief-record', 'job-chief'],
    ['job-chiefs', undefined],
    ['app.kubernetes.io/managed-by', 'job-chief'],
    ['app.kubernetes.io/instance', 'Argo CD'],
    ['argocd.argoproj.io/tracking-id', 'Argo CD'],
    ['kustomize.toolkit.fluxcd.io/name', 'Flux'],
    ['batch.kubernetes.io/controller-uid', 'the Job controller'],
    ['job-name', 'the Job controller'],
  ];
  it.each(cases)('%s belongs to %s', (key, owner) => {
    expect(reservedMetadataOwner(key)).toBe(owner);
  });
});

describe('texts of a job', () => {
  const cases: readonly [text: string, expected: readonly string[]][] = [
    ['$(params.size)', ['UnknownReference job.args[0]']],
    ['$(params)', ['UnknownReference job.args[0]']],
    ['$(steps.a.outputs.b)', ['UnknownReference job.args[0]']],
    ['$(params["a b"])', []],
    ['$(params["a"])', ['UnknownReference job.args[0]']],
    ['$(item)', ['UnknownReference job.args[0]']],
    ['a $(run.name) b $(message.id)', ['UnknownReference job.args[0]']],
    ['$$(params.size)', []],
    ['$$$(params.size)', ['UnknownReference job.args[0]']],
    ['$( params.size )', []],
    ['$(parameters.size)', []],
    ['$(items)', []],
    ['$(running)', []],
    ['$(OTHER) $(cat x) $((1+1))', []],
    ['${HOME}', ['FluxSubstitution job.args[0]']],
    ['$${HOME}', []],
    ['$HOME', []],
    ['{{ .Values.x }}', ['HelmTemplate job.args[0]']],
    ['{ "a": {} }', []],
    ['postgres://bob:secret@db/jobs', ['LiteralCredential job.args[0]']],
    ['postgres://bob:$(PASSWORD)@db/jobs', []],
    ['postgres://db/jobs', []],
    ['http://host:8080/a@b', []],
    ['--password=hunter2', ['LiteralCredential job.args[0]']],
    ['--password=$(PASSWORD)', []],
    ['--password', []],
    ['--token-file=/var/run/token', []],
  ];
  it.each(cases)('%s gives %j', (text, expected) => {
    expect(codes(parse(aQueue(`job: {image: x, args: [${JSON.stringify(text)}]}`)))).toEqual(expected);
  });

  it('reach the container byte for byte', () => {
    const args = ['$(OTHER)', '$$(params.x)', '${HOME}', '{{ x }}', '$(cat /etc/hostname)', ' a\tb\n', '\u0000', '💡'];
    const { jobTemplate } = validQueue(aQueue(`job: {image: x, args: ${JSON.stringify(args)}}`));
    expect(podOf(jobTemplate)['containers']).toEqual([{ name: 'main', image: 'x', args }]);
  });
});

describe('credentials in env', () => {
  const cases: readonly [name: string, value: string, flagged: boolean][] = [
    ['PASSWORD', 'hunter2', true],
    ['DB_PASSWORD', 'hunter2', true],
    ['db-password', 'hunter2', true],
    ['API_TOKEN', 'abc', true],
    ['AWS_SECRET_ACCESS_KEY', 'abc', true],
    ['CLIENT_SECRET', 'abc', true],
    ['apiKey', 'abc', true],
    ['PASSWORD_FILE', '/run/password', false],
    ['TOKEN_COUNT', '5', false],
    ['MONKEY', 'x', false],
    ['AWS_ACCESS_KEY_ID', 'abc', false],
    ['PASSWORD', '', false],
    ['PASSWORD', '$(OTHER)', false],
  ];
  it.each(cases)('%s=%s: %s', (name, value, flagged) => {
    const { problems } = parse(aQueue(`job: {image: x, env: [{name: ${name}, value: ${JSON.stringify(value)}}]}`));
    expect(problems.map(({ code }) => code)).toEqual(flagged ? ['LiteralCredential'] : []);
    if (flagged) expect(JSON.stringify(problems)).not.toContain(value);
  });
});

describe('environment variables that job-chief sets', () => {
  const env = (name: string): string => `job: {image: x, env: [{name: ${name}, value: a}]}`;
  const cases: readonly [what: string, lines: readonly string[], expected: readonly string[]][] = [
    ['QUEUE_NAME is overridden', [env('QUEUE_NAME')], ['EnvOverridden job.env[0].name']],
    ['DB_HOST is the user’s', [env('DB_HOST')], []],
    ['DB_HOST is overridden with injectConnection', [env('DB_HOST'), 'injectConnection: true'], ['EnvOverridden job.env[0].name']],
    ['JOB_CHIEF_ANYTHING is reserved', [env('JOB_CHIEF_ANYTHING')], ['ReservedName job.env[0].name']],
    ['JOB_CHIEFS is not', [env('JOB_CHIEFS')], []],
    ['init containers count too', ['job: {image: x, initContainers: [{name: a, image: b, env: [{name: JOB_COMPLETION_INDEX}]}]}'], ['ReservedName job.initContainers[0].env[0].name']],
    ['templates count too', ['jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: b}, {name: c, image: d, env: [{name: JOB_CHIEF_RUN}]}]}}}}'], ['ReservedName jobTemplate.spec.template.spec.containers[1].env[0].name']],
  ];
  it.each(cases)('%s', (_what, lines, expected) => {
    expect(codes(parse(aQueue(...lines)))).toEqual(expected);
  });
});

describe('mounts', () => {
  const cases: readonly [path: string, reserved: boolean][] = [
    ['/job-chief', true],
    ['/job-chief/', true],
    ['//job-chief/message', true],
    ['/x/../job-chief/y', true],
    ['/./job-chief', true],
    ['/job-chiefs', false],
    ['/data/job-chief', false],
    ['/', false],
  ];
  it.each(cases)('at %s: reserved is %s', (mountPath, reserved) => {
    expect(codes(parse(aQueue(`job: {image: x, volumeMounts: [{name: a, mountPath: ${mountPath}}]}`)))).toEqual(reserved ? ['ReservedName job.volumeMounts[0].mountPath'] : []);
  });

  it('of block devices too', () => {
    expect(codes(parse(aQueue('job: {image: x, volumeDevices: [{name: a, devicePath: /job-chief/x}]}')))).toEqual(['ReservedName job.volumeDevices[0].devicePath']);
  });
});

describe('connections of the operator', () => {
  const connections = new Map([
    ['main', { type: 'pgBoss', injectable: false }],
    ['reports', { type: 'pgBoss', injectable: true }],
    ['bus', { type: 'amqp', injectable: false }],
  ]);
  const on = (connection: string, ...lines: readonly string[]) => parse(aQueue(`source: {pgBoss: {connection: ${connection}, queue: q}}`, ...lines), {}, { connections });
  const cases: readonly [what: string, connection: string, lines: readonly string[], expected: readonly string[]][] = [
    ['known', 'main', [], []],
    ['unknown', 'other', [], ['UnknownConnection source.pgBoss.connection']],
    ['of another type', 'bus', [], ['ConnectionType source.pgBoss.connection']],
    ['injectable', 'reports', ['injectConnection: true'], []],
    ['not injectable', 'main', ['injectConnection: true'], ['ConnectionNotInjectable injectConnection']],
  ];
  it.each(cases)('%s', (_what, connection, lines, expected) => {
    expect(codes(on(connection, ...lines))).toEqual(expected);
  });

  it('are guessed', () => {
    expect(on('report').problems[0]).toMatchObject({ message: 'there is no connection "report"', hint: 'did you mean "reports"?' });
    expect(on('zzz').problems[0]?.hint).toBe('the connections are "main", "reports" or "bus"');
  });

  it('are not checked where none are known', () => {
    expect(codes(parse(aQueue('source: {pgBoss: {connection: any, queue: q}}')))).toEqual([]);
  });
});
