/** The command why, of a Queue whose messages start runs. */
import { describe, expect, it } from 'vitest';
import { exitCode } from '../../../../src/cli/exit-code.ts';
import { explainWhy } from '../../../../src/cli/why.ts';
import { arrayAt, isObject, objectAt, parseJson, stringAt, type Json, type JsonObject } from '../../../../src/lib/json.ts';
import { jobs } from '../../../../src/simulation/objects.ts';
import { CommandLine } from '../../../support/command-line.ts';
import { useRunScenes, type RunScene } from '../../../support/message-run-scene.ts';
import { hour, minute, second } from '../../../support/scene.ts';

const stage = useRunScenes();

async function why(scene: RunScene): Promise<JsonObject> {
  const line = new CommandLine(scene.world);
  expect(await line.call((session) => explainWhy(session, { name: 'queue/work', step: undefined, output: 'json' }))).toBe(exitCode.ok);
  return objectAt({ reason: arrayAt(parseJson(line.printed().join('\n')), 'reasons')[0] }, 'reason');
}

/** `subject reason` of each link, indented by depth. */
function chainOf(link: Json | undefined, depth = 0): string[] {
  const own = `${'  '.repeat(depth)}${stringAt(link, 'subject') ?? ''} ${stringAt(link, 'reason') ?? ''}`;
  return [own, ...(isObject(link) ? arrayAt(link, 'because') : []).flatMap((cause) => chainOf(cause, depth + 1))];
}

describe('why of a Queue whose messages start runs', () => {
  it('says what would come of a message', async () => {
    const scene = stage({ kind: 'pgBoss' });
    await scene.world.run(10 * second);
    expect(await why(scene)).toMatchObject({ reason: 'QueueListening', unblock: 'nothing: a run starts when a message comes' });
  });

  it('names the live runs, and what each of them stands at', async () => {
    const scene = stage({ kind: 'pgBoss', pod: () => ({ runs: 3 * minute }), queue: { limit: hour } });
    scene.queue.send({ id: 'a', body: '{}' });
    scene.queue.send({ id: 'b', body: '{}' });
    expect(await scene.world.runUntil(() => scene.runs.filter(({ started }) => started).length === 2, minute)).toBe(true);
    await scene.world.run(20 * second);
    const found = await why(scene);
    expect(found).toMatchObject({ unblock: 'nothing: it goes on until its runs have ended' });
    const [first, ...causes] = chainOf(found);
    expect(first).toBe('queue/work MessagesRunning');
    expect(causes.toSorted()).toEqual([...scene.runs.map(({ name }) => `  run/${name} WaitsForSteps`), '    step/job JobRunning', '    step/job JobRunning'].toSorted());
    scene.world.deleteConfigMap('work');
    expect(await scene.settled(hour)).toBe(true);
  });

  it('says what to correct where the limit of the lease is too short', async () => {
    const scene = stage({ kind: 'pgBoss', queue: { limit: 5 * minute } });
    await scene.world.run(10 * second);
    expect(await why(scene)).toMatchObject({ reason: 'LeaseTooShort', unblock: 'lower startTimeout or timeout of template "thumbnail", or set settle: onJobCreated in ConfigMap "work", or raise the limit that the message names' });
  });

  it('points at the template whose Job the API server refuses', async () => {
    const scene = stage({ kind: 'pgBoss', refuse: (resource) => (resource === jobs ? { code: 422, reason: 'Invalid', message: 'Job.batch is invalid: no such volume' } : undefined) });
    await scene.world.run(10 * second);
    expect(await why(scene)).toMatchObject({ state: 'Waiting', reason: 'TemplateRefused', unblock: expect.stringMatching(/^correct template "thumbnail", or have the policy changed/) as string });
  });
});
