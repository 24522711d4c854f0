import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json.ts';
import { parseSpec } from '../../../../src/spec/parse.ts';
import { aPolicy } from './jobs.ts';

const policy = aPolicy({ imagePrefixes: ['ghcr.io/acme'], secrets: ['app'], restricted: false });

/** `line:column path` of what the policy says. */
function told(text: string, files: Readonly<Record<string, string>> = {}, written?: JsonObject): string[] {
  const { problems, spec } = parseSpec({ file: 'a.yaml', objectName: 'a', label: undefined, data: { 'spec.yaml': text, ...files } }, { policy: written === undefined ? policy : aPolicy(written) });
  expect(spec === undefined).toBe(problems.some(({ severity }) => severity === 'error'));
  return problems.map(({ code, position, path, inside }) => `${inside ? `${inside.key}:${inside.line}:${inside.column}` : `${position?.line ?? 0}:${position?.column ?? 0}`} ${path ?? ''}${code === 'PolicyDenied' ? '' : ` ${code}`}`);
}

const queue = (...lines: string[]): string => ['apiVersion: job-chief/v1', 'kind: Queue', 'source: {pgBoss: {connection: main, queue: q}}', 'drain: {}', ...lines].join('\n');
const workflow = (...lines: string[]): string => ['apiVersion: job-chief/v1', 'kind: Workflow', 'trigger: {onRequest: true}', ...lines].join('\n');
const manifest = (...pod: string[]): string => ['apiVersion: batch/v1', 'kind: Job', 'spec:', '  template:', '    spec:', '      restartPolicy: Never', ...pod.map((line) => `      ${line}`)].join('\n');

describe('where lint says what the policy denies', () => {
  it.each<[string, string, readonly string[]]>([
    ['nothing that is allowed', queue('job: {image: ghcr.io/acme/app}'), []],
    ['the image of a recipe', queue('job:', '  image: alpine'), ['6:10 job.image']],
    ['fields of the pod in a recipe', queue('job:', '  image: ghcr.io/acme/app', '  hostNetwork: true', '  imagePullSecrets: [{name: other}]'), ['7:16 job.hostNetwork', '8:29 job.imagePullSecrets[0].name']],
    ['fields that a recipe calls otherwise', queue('job:', '  image: ghcr.io/acme/app', '  podSecurityContext: {sysctls: [{name: kernel.sem, value: "1"}]}'), ['7:41 job.podSecurityContext.sysctls[0].name']],
    ['an init container of a recipe', queue('job:', '  image: ghcr.io/acme/app', '  initContainers:', '    - {name: i, image: alpine}'), ['8:24 job.initContainers[0].image']],
    ['a whole template', queue('jobTemplate:', '  spec:', '    template:', '      spec:', '        containers:', '          - {name: a, image: ghcr.io/acme/a}', '          - {name: b, image: alpine}'), ['11:30 jobTemplate.spec.template.spec.containers[1].image']],
    ['a step', workflow('steps:', '  - name: a', '    job: {image: ghcr.io/acme/a}', '  - name: b', '    job: {image: b}'), ['8:18 steps[1].job.image']],
    ['a step of a phase', workflow('phases:', '  - name: one', '    steps:', '      - {name: a, job: {image: ghcr.io/acme/a}}', '      - {name: b, job: {image: b}}'), ['8:32 phases[0].steps[1].job.image']],
    ['a step at the end', workflow('steps: [{name: a, job: {image: ghcr.io/acme/a}}]', 'finally:', '  - {name: z, job: {image: z}}'), ['6:28 finally[0].job.image']],
    ['what compensates a step', workflow('steps:', '  - name: a', '    job: {image: ghcr.io/acme/a}', '    undo: {job: {image: u}}'), ['7:25 steps[0].undo.job.image']],
    ['a Template', ['apiVersion: job-chief/v1', 'kind: Template', 'job: {image: alpine}'].join('\n'), ['3:14 job.image']],
    ['a Template with a whole template', ['apiVersion: job-chief/v1', 'kind: Template', 'jobTemplate: {spec: {template: {spec: {hostPID: true, containers: [{name: a, image: ghcr.io/acme/a}]}}}}'].join('\n'), ['3:49 jobTemplate.spec.template.spec.hostPID']],
    ['annotations of all pods', workflow('podMetadata: {annotations: {container.apparmor.security.beta.kubernetes.io/main: unconfined}}', 'steps: [{name: a, job: {image: ghcr.io/acme/a}}]'), []],
  ])('%s', (_what, text, expected) => {
    expect(told(text)).toEqual(expected);
  });

  it('in a manifest, the line of the file', () => {
    expect(told(workflow('steps: [{name: a, jobFile: a.yaml}]'), { 'a.yaml': manifest('containers:', '  - name: main', '    image: alpine') })).toEqual(['a.yaml:9:18 steps[0].jobFile']);
    expect(told(workflow('steps: [{name: a, jobFiles: "*.yaml"}]'), { 'a.yaml': manifest('containers: [{name: main, image: ghcr.io/acme/a}]'), 'b.yaml': manifest('hostPID: true', 'containers: [{name: main, image: ghcr.io/acme/a}]') })).toEqual(['b.yaml:7:16 steps[0].jobFiles']);
    expect(told(workflow('steps: [{name: a, job: {image: ghcr.io/acme/a}, undo: {jobFile: u.yaml}}]'), { 'u.yaml': manifest('containers: [{name: main, image: u}]') })).toEqual(['u.yaml:7:40 steps[0].undo.jobFile']);
  });

  it('of annotations for all pods', () => {
    const text = workflow('podMetadata: {annotations: {container.apparmor.security.beta.kubernetes.io/main: unconfined}}', 'steps: [{name: a, job: {image: x, securityContext: {allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}}}]');
    expect(told(text, {}, { restricted: true })).toEqual(['4:82 podMetadata.annotations["container.apparmor.security.beta.kubernetes.io/main"]']);
  });

  it('where something is missing, the nearest thing that is there', () => {
    expect(told(workflow('steps:', '  - name: a', '    job: {image: x}'), {}, { maxPerContainer: { memory: '1Gi' } })).toEqual(['6:5 steps[0].job.resources.limits.memory']);
  });

  it('not where a parameter decides, but in a manifest, where none is replaced', () => {
    expect(told(workflow('parameters: {image: {type: string}}', 'steps: [{name: a, job: {image: $(params.image)}}]'))).toEqual([]);
    expect(told(workflow('steps: [{name: a, jobFile: a.yaml}]'), { 'a.yaml': manifest('containers: [{name: main, image: $(params.image)}]') })).toContainEqual(expect.stringMatching(/^a\.yaml:7:\d+ steps\[0]\.jobFile$/));
  });

  it('nothing while the spec has other errors, and nothing without a policy', () => {
    expect(told(queue('job: {image: alpine, hostNetwork: yes}'))).not.toContain('5:14 job.image');
    expect(parseSpec({ file: 'a', objectName: 'a', label: undefined, data: { 'spec.yaml': queue('job: {image: x, hostNetwork: true}') } }, {}).problems).toEqual([]);
  });
});
