/** A workflow with a bit of everything, and what has to come of it whatever happens to the controller. */
import type { JsonObject } from '../../src/lib/json.ts';
import { indexLabel } from '../../src/spec/keys.ts';
import { step, type WorkflowScene, type WorkflowSceneOptions } from './workflow-scene.ts';

/** A join, items with $(item), an Indexed Job, outputs, a retry, a step that fails and is allowed to, finally. */
export const busySpec: JsonObject = {
  steps: [
    step('list', { outputs: { files: { type: 'array' } } }),
    step('load', { forEach: { from: '$(steps.list.outputs.files)' }, job: { image: 'registry.example/load:1', args: ['$(item)'] } }),
    step('index', { dependsOn: ['list'], forEach: { items: ['x', 'y'] } }),
    step('flaky', { dependsOn: ['load', 'index'], retry: { attempts: 2, delay: '2s' } }),
    step('lint', { allowFailure: true }),
    step('publish', { dependsOn: 'flaky.ok && lint.completed' }),
  ],
  finally: [step('clean')],
};
export const busyPods: NonNullable<WorkflowSceneOptions['pods']> = {
  list: { exit: { code: 0, message: '{"files": ["one", "two"]}' } },
  flaky: (attempt) => ({ exit: { code: attempt === 1 ? 1 : 0 } }),
  lint: { exit: { code: 2 } },
};

/** What a run came to, without names and times. */
export function ending(scene: WorkflowScene): unknown {
  return scene.runs.map((run) => ({
    phase: run.phase,
    result: run.result?.outcome,
    failed: run.result?.failedSteps,
    steps: Object.fromEntries(Object.entries(run.state?.steps ?? {}).toSorted(([left], [right]) => (left < right ? -1 : 1)).map(([name, state]) => [name, [state.outcome, state.attempts?.map(({ outcome }) => outcome), state.items?.map(({ outcome }) => outcome)]])),
  }));
}

/** Jobs by what they are for: each may have been created once. */
export const works = (scene: WorkflowScene): string[] => scene.births.map(({ step: name, attempt, object }) => `${name}#${attempt} ${object.metadata.labels?.[indexLabel] ?? ''}`).toSorted();

