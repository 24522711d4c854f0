import { describe, expect, it } from 'vitest';
import { jobs } from '../../../src/simulation/objects.ts';
import { keepUntilAnnotation } from '../../../src/spec/keys.ts';
import { chain, useWorkflows, type WorkflowScene } from '../../support/workflow-scene.ts';

const stage = useWorkflows();
const minute = 60_000;
const everyTenMinutes = { trigger: { schedules: ['*/10 * * * *'], timeZone: 'Etc/UTC' }, steps: chain('a', 'b'), retention: { succeeded: { count: 1 }, failed: { count: 1 } } };

function annotateJob(scene: WorkflowScene, name: string, text: string): void {
  scene.world.cluster.registry.update(jobs, name, (object) => ({ ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [keepUntilAnnotation]: text } } }));
}

/** A scene with one finished run. */
async function firstRun(): Promise<{ scene: WorkflowScene; first: string }> {
  const scene = stage({ spec: everyTenMinutes });
  await scene.world.run(11 * minute);
  expect(scene.runs.map(({ phase }) => phase)).toEqual(['Succeeded']);
  return { scene, first: scene.records[0]?.metadata.name ?? '' };
}
const names = (scene: WorkflowScene): string[] => scene.records.map(({ metadata }) => metadata.name);

describe('how long a run stays on record', () => {
  it('goes by retention where nobody says otherwise', async () => {
    const { scene, first } = await firstRun();
    await scene.world.run(40 * minute);
    expect(names(scene)).not.toContain(first);
  });

  it('is until the time that somebody wrote on its record', async () => {
    const { scene, first } = await firstRun();
    scene.annotate(first, { [keepUntilAnnotation]: new Date(scene.world.clock.now() + 60 * minute).toISOString() });
    await scene.world.run(55 * minute);
    expect(names(scene)).toContain(first);
    await scene.world.run(15 * minute);
    expect(names(scene)).not.toContain(first);
  });

  it('is as long as one of its Jobs is to stay, which goes with it', async () => {
    const { scene, first } = await firstRun();
    const job = scene.births[1]?.name ?? '';
    annotateJob(scene, job, 'forever');
    await scene.world.run(60 * minute);
    expect(names(scene)).toContain(first);
    expect(scene.world.job(job)).toBeDefined();
    annotateJob(scene, job, 'now');
    await scene.world.run(20 * minute);
    expect(names(scene)).not.toContain(first);
    expect(scene.world.job(job)).toBeUndefined();
  });

  it('is as long as one of its sub-runs is to stay, which goes with it too', async () => {
    const parent = { ...everyTenMinutes, steps: [{ name: 'call', workflow: { name: 'child' } }] };
    const scene = stage({ spec: parent });
    scene.apply({ trigger: { onRequest: true }, steps: chain('a') }, 'child');
    await scene.world.run(11 * minute);
    const [first, child] = scene.records.map(({ metadata }) => metadata.name);
    scene.annotate(child ?? '', { [keepUntilAnnotation]: 'forever' });
    await scene.world.run(60 * minute);
    expect(names(scene)).toEqual(expect.arrayContaining([first, child]));
  });

  it('is told once where nobody can read what was written', async () => {
    const { scene, first } = await firstRun();
    scene.annotate(first, { [keepUntilAnnotation]: 'a while' });
    await scene.world.run(40 * minute);
    expect(names(scene)).not.toContain(first);
    expect(scene.lines.filter(({ message }) => message.includes('keep-until'))).toMatchObject([{ level: 'warn', fields: { run: first, text: 'a while' } }]);
  });
});
