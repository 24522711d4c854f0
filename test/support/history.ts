/** A history of Jobs of a queue, and what retention leaves of it. */
import { minute, type Scene } from './scene.ts';

/** Which of the Jobs, counted from 1 in the order of their creation, are still there. */
export function kept(scene: Scene): number[] {
  return scene.births.flatMap(({ name }, index) => (scene.world.job(name) ? [index + 1] : []));
}

/** Lets `count` more Jobs run, one a minute, and then `quiet` milliseconds pass without any. */
export async function runJobs(scene: Scene, count: number, quiet: number): Promise<void> {
  for (let job = 0; job < count; job += 1) {
    const [message] = scene.queue.send(1);
    const before = scene.births.length;
    await scene.world.runUntil(() => scene.births.length > before);
    if (message) scene.queue.complete(scene.queue.fetch() ?? message);
    await scene.world.run(minute);
  }
  await scene.world.run(quiet);
}
