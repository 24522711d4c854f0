/** Requests that cannot be taken up. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { plannedFaults } from '../../../src/simulation/fault-plans.ts';
import { applyTemplate, ask } from '../../support/asking.ts';
import { useWorkflows } from '../../support/workflow-scene.ts';

const stage = useWorkflows();

describe('a request', () => {
  it('that nobody may take up is tried again after a while, not all the time', async () => {
    const scene = stage({ spec: 'none', controller: 'none' });
    applyTemplate(scene);
    const name = ask(scene, 'resize');
    const tries: string[] = [];
    scene.world.cluster.allows = ({ verb, resource }) => !(verb === 'patch' && resource === 'configmaps');
    const plan = plannedFaults([]);
    scene.startWith({ ...plan, request: (request) => { if (request.method === 'PATCH' && request.path.endsWith(name)) tries.push(request.path); return plan.request(request); } });
    await scene.world.run(60_000);
    expect(tries.length).toBeLessThan(20);
    scene.world.cluster.allows = () => true;
    await scene.finished(60_000);
    expect(scene.started).toEqual(['job']);
  });

  it('whose record has no room for the text that it runs is ended, says why, and keeps its place from nobody', async () => {
    const scene = stage({ spec: 'none' });
    const noise = Array.from({ length: 4_000 }, (_, at) => createHash('sha256').update(String(at)).digest('base64')).join('');
    applyTemplate(scene, { parameters: { text: { type: 'string' } }, job: { image: 'x' }, files: { '/noise': 'noise.txt' }, concurrency: { max: 1 } }, 'resize', { 'noise.txt': noise + noise });
    const large = ask(scene, 'resize', { text: 'y'.repeat(499_000) }, { key: 'large', priority: 5 });
    const small = ask(scene, 'resize', { text: 'y' }, { key: 'small' });
    await scene.finished(600_000, 2);
    const ended = scene.runs.map(({ name, phase }) => [name, phase]);
    expect(ended).toEqual(expect.arrayContaining([[large, 'Cancelled'], [small, 'Succeeded']]) as unknown);
    expect(scene.runs.find(({ name }) => name === large)?.result?.message).toMatch(/^it cannot start: too large for a ConfigMap: spec, files and parameters of [\d,]+ bytes, where 700,000 are allowed$/);
  });
});
