/** Runs asked for over HTTP, through to their Jobs. */
import { describe, expect, it } from 'vitest';
import { httpApi } from '../../support/http-scene.ts';
import { step, useWorkflows } from '../../support/workflow-scene.ts';

const stage = useWorkflows();
const onRequest = { trigger: { onRequest: true }, concurrency: { max: 5 }, parameters: { day: { type: 'string' }, rows: { type: 'integer', default: 5 } }, steps: [step('load', { job: { image: 'registry.example/step:1', args: ['$(params.day)'] } })] };

describe('a run that is asked for over HTTP', () => {
  it('is written down, runs, and is told of until it is over', async () => {
    const scene = stage({ spec: onRequest, controller: 'none' });
    const api = await httpApi(scene);
    const answer = await api.post('/api/v1/runs', { workflow: 'etl', parameters: { day: '2026-01-01' } });
    expect(answer).toMatchObject({ status: 202, json: { target: { kind: 'workflow', name: 'etl' } } });
    expect(answer.headers['location']).toBe(answer.json['callbackUrl']);
    const [record] = scene.records;
    expect(record?.metadata.name).toBe(answer.json['name']);
    await scene.finished();
    const shown = await api.get(String(answer.json['callbackUrl']));
    expect(shown.json).toMatchObject({ phase: 'Succeeded', outcome: 'succeeded', parameters: { day: '2026-01-01' }, steps: [{ name: 'load', state: 'Succeeded', attempts: 1 }] });
  });
});
