import { describe, expect, it } from 'vitest';
import { podPolicyFrom } from '../../src/spec/pod-policy/policy.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { minute, second, useScenes } from '../support/scene.ts';
import { step, useWorkflows } from '../support/workflow-scene.ts';

const stage = useScenes();
const stageWorkflow = useWorkflows();
const policy = (written: JsonObject): { engine: { policy: ReturnType<typeof podPolicyFrom> } } => ({ engine: { policy: podPolicyFrom(written, { connectionSecrets: ['main-db'], ownServiceAccount: 'job-chief' }) } });
const registry = { imagePrefixes: ['registry.example'] };

describe("a queue whose Job the operator's policy denies", () => {
  it('says so, with the field and the key, and starts nothing', async () => {
    const scene = stage({ spec: { job: { image: 'alpine' } }, controller: policy(registry) });
    scene.queue.send(1);
    await scene.world.run(minute);
    expect(scene.births).toEqual([]);
    expect(scene.status()).toMatchObject({ state: 'Rejected', reason: 'PolicyDenied', message: expect.stringContaining('spec.template.spec.containers[0].image: the image "docker.io/library/alpine" is not allowed, says podPolicy.imagePrefixes') as string });
  });

  it('starts as soon as the spec is mended', async () => {
    const scene = stage({ spec: { job: { image: 'registry.example/worker:1', serviceAccountName: 'job-chief' } }, controller: policy(registry) });
    scene.queue.send(1);
    await scene.world.run(minute);
    expect(scene.births).toEqual([]);
    scene.apply();
    await scene.world.run(minute);
    expect(scene.births).toHaveLength(1);
  });

  it('leaves Jobs alone that were created under another policy', async () => {
    const scene = stage({ pod: { runs: 5 * minute } });
    scene.queue.send(1);
    await scene.world.run(10 * second);
    scene.controller?.kill();
    scene.start(policy({ imagePrefixes: ['ghcr.io'] }));
    await scene.world.run(6 * minute);
    expect(scene.births).toHaveLength(1);
    expect(scene.outcome(scene.births[0]?.name)).toMatchObject({ outcome: 'succeeded' });
  });
});

describe('what is denied without any policy', () => {
  it.each<[string, JsonObject]>([
    ['the network of the node', { hostNetwork: true }],
    ['a folder of the node', { volumes: [{ name: 'v', hostPath: { path: '/' } }] }],
    ['a privileged container', { securityContext: { privileged: true } }],
  ])('%s', async (_what, job) => {
    const scene = stage({ spec: { job: { image: 'registry.example/worker:1', ...job } } });
    scene.queue.send(1);
    await scene.world.run(minute);
    expect(scene.births).toEqual([]);
    expect(scene.status()).toMatchObject({ state: 'Rejected', reason: 'PolicyDenied' });
  });
});

describe('a workflow', () => {
  it('starts no run while the policy denies one of its Jobs, and says which', async () => {
    const scene = stageWorkflow({ steps: [step('a'), step('b', { job: { image: 'registry.example/step:1', envFrom: [{ secretRef: { name: 'main-db' } }] } })], controller: policy({}) });
    await scene.world.run(minute);
    expect(scene.runs).toEqual([]);
    expect(scene.world.status('etl')).toMatchObject({ state: 'Rejected', reason: 'PolicyDenied', message: expect.stringContaining('step "b": spec.template.spec.containers[0].envFrom[0].secretRef.name: the Secret "main-db" belongs to the operator') as string });
  });

  it('cannot get past it by what a step hands to the next', async () => {
    const steps = [step('ask', { outputs: { image: { type: 'string' } } }), step('use', { job: { image: '$(steps.ask.outputs.image)' } })];
    const scene = stageWorkflow({ steps, pods: { ask: { exit: { code: 0, message: 'image=evil.example/app' } } }, controller: policy(registry) });
    await scene.finished();
    expect(scene.births.map((birth) => birth.step)).toEqual(['ask']);
    expect(scene.run.phase).toBe('Failed');
    expect(scene.run.state?.steps['use']).toMatchObject({ outcome: 'refused', reason: 'PolicyDenied', message: expect.stringContaining('evil.example/app') as string });
  });

  it('goes on with values that are allowed, and with files that job-chief mounts itself', async () => {
    const steps = [step('ask', { outputs: { image: { type: 'string' } } }), step('use', { job: { image: '$(steps.ask.outputs.image)' }, forEach: { items: ['a', 'b'] } })];
    const scene = stageWorkflow({ steps, pods: { ask: { exit: { code: 0, message: 'image=registry.example/app' } } }, controller: policy({ ...registry, configMaps: [], volumeTypes: [], secrets: [] }) });
    await scene.finished();
    expect(scene.run.phase).toBe('Succeeded');
  });
});
