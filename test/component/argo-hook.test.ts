/** manifests/examples/argo-hook: the command of its hook, with the rights of its account, decides a sync. */
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { defineWait, wantedOf, type WaitFlags } from '../../src/cli/wait.ts';
import { waitFor } from '../../src/cli/wait/wait.ts';
import type { PodScript } from '../../src/simulation/pod-script.ts';
import { CommandLine } from '../support/command-line.ts';
import { useWorkflows, type WorkflowScene } from '../support/workflow-scene.ts';
import { find, granted, hasKubectl, build, readManifest } from '../unit/manifests/render.ts';

const stage = useWorkflows();
const [workflow] = readManifest('examples/argo-hook/migrate.yaml') as unknown as { metadata: { name: string; labels: Record<string, string> }; data: Record<string, string> }[];
const hook = find(readManifest('examples/argo-hook/wait.yaml'), 'Job', 'migrate-wait') as unknown as { spec: { template: { spec: { containers: { args: string[] }[] } } } };
const rights = granted(readManifest('roles/waiter.yaml'));

/** Applies the workflow as a sync does, and then runs the hook. */
async function sync(scene: WorkflowScene, text: (before: string) => string = (before) => before): Promise<number> {
  const spec = text(workflow?.data['spec.yaml'] ?? '');
  scene.world.applyConfigMap(workflow?.metadata.name ?? '', spec);
  const [name = '', ...args] = hook.spec.template.spec.containers[0]?.args ?? [];
  expect(name).toBe('wait');
  const command = new Command('wait');
  defineWait(command);
  const { operands, unknown } = command.parseOptions(args);
  expect(unknown).toEqual([]);
  const { controller } = scene;
  expect(controller?.alive).toBe(true);
  const line = new CommandLine(scene.world);
  return line.call((session) => waitFor(session, wantedOf(operands[0] ?? '', command.opts<WaitFlags>())), 7_200_000);
}

const scripted = (pods: Record<string, PodScript> = {}): WorkflowScene => stage({ spec: 'none', pods });

describe('a sync with the hook', () => {
  it('succeeds when the run of the revision that it brought has succeeded, each time', async () => {
    const scene = scripted({ 'smoke-test': { runs: 60_000 } });
    expect(await sync(scene)).toBe(0);
    expect(scene.started).toEqual(['schema', 'smoke-test']);
    expect(await sync(scene, (text) => text.replace('migrated', 'migrated again'))).toBe(0);
    expect(scene.started).toEqual(['schema', 'smoke-test', 'schema', 'smoke-test']);
  });

  it('succeeds at once where nothing has changed', async () => {
    const scene = scripted();
    await sync(scene);
    expect(await sync(scene)).toBe(0);
    expect(scene.records).toHaveLength(1);
  });

  it('fails with the run', async () => {
    expect(await sync(scripted({ schema: { exit: { code: 1 } } }))).toBe(1);
  });

  it('fails where the text is wrong', async () => {
    expect(await sync(scripted(), (text) => text.replace('dependsOn: [schema]', 'dependsOn: [scheme]'))).toBe(1);
  });

  it('fails with 3 after its half hour', async () => {
    expect(await sync(scripted({ schema: { runs: Infinity } }))).toBe(3);
  });

  it('needs no rights but those of job-chief-waiter', async () => {
    const scene = scripted();
    await sync(scene);
    scene.controller?.kill();
    const asked = new Set<string>();
    scene.world.cluster.allows = ({ verb, group, resource, subresource }) => {
      const right = `${group}/${resource}${subresource === undefined ? '' : `/${subresource}`} ${verb}`;
      asked.add(right);
      return rights.includes(right);
    };
    const line = new CommandLine(scene.world);
    expect(await line.call((session) => waitFor(session, wantedOf('workflow/migrate', { for: 'succeeded' })))).toBe(0);
    expect([...asked].toSorted()).toEqual(['/configmaps get', '/configmaps list', '/configmaps watch']);
    expect(rights).toEqual(['/configmaps get', '/configmaps list', '/configmaps watch']);
  });
});

describe('its manifests', () => {
  it.skipIf(!hasKubectl)('are built by kubectl', () => {
    expect(build('examples/argo-hook').map(({ kind }) => kind).toSorted()).toEqual(['ConfigMap', 'Job', 'RoleBinding', 'ServiceAccount']);
  });
});
