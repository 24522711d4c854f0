/** The HTTP API over a simulated cluster whose time goes as fast as the real one: for clients that are programs of their own. */
import { onTestFinished } from 'vitest';
import { httpApi, type HttpClient } from './http-scene.ts';
import { step, WorkflowScene } from './workflow-scene.ts';

export interface Served {
  readonly scene: WorkflowScene;
  readonly client: HttpClient;
  readonly port: number;
}

/** Workflows that take requests, a run that is over, and a server that listens until the test is over. */
export async function serveInRealTime(options: Parameters<typeof httpApi>[1] = {}): Promise<Served> {
  const scene = new WorkflowScene({ spec: { trigger: { onRequest: true }, concurrency: { max: 100 }, parameters: { day: { type: 'string', default: 'today' } }, steps: [step('load')] }, controller: 'none' });
  const client = await httpApi(scene, options);
  await client.post('/api/v1/runs', { workflow: 'etl' });
  await scene.finished();
  const port = await client.api.server.listen();
  const stop = new AbortController();
  const running = keepPace(scene, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
    await client.close();
  });
  return { scene, client, port };
}

async function keepPace(scene: WorkflowScene, signal: AbortSignal): Promise<void> {
  let before = performance.now();
  while (!signal.aborted) {
    await new Promise((resolve) => { setTimeout(resolve, 2); });
    const now = performance.now();
    await scene.world.run(now - before);
    before = now;
  }
}
