/** Workflows of the bench, requests for runs of them, and the Jobs that job-chief makes of them, from the same code that makes them there. */
import { objectAt, stringAt, type JsonObject } from '../../../src/lib/json.ts';
import { encodeParameters } from '../../../src/adapters/kubernetes/record-codec.ts';
import { recordManifest } from '../../../src/adapters/kubernetes/record-manifest.ts';
import type { PlanEnvironment } from '../../../src/plan/environment.ts';
import { planRun } from '../../../src/plan/run/plan-run.ts';
import type { ObservedRecord } from '../../../src/plan/run/record.ts';
import type { RunState } from '../../../src/plan/run/state.ts';
import { requestRun } from '../../../src/plan/workflow/request-run.ts';
import { defaultInstance, kindLabel, specKey } from '../../../src/spec/keys.ts';
import { parseSpec } from '../../../src/spec/parse.ts';
import type { WorkflowSpec } from '../../../src/spec/workflow.ts';
import { nameOf } from './requests.ts';

/** As large as users' steps are. */
const job = (args: string): string => `
      image: registry.example.com/acme/worker:3.1
      command: [node, worker.js]
      args: ${args}
      env:
        - {name: LOG_LEVEL, value: info}
        - {name: REGION, value: eu-central-1}
      resources:
        requests: {cpu: 100m, memory: 128Mi}
        limits: {memory: 256Mi}
`;

const pad = (number: number): string => String(number).padStart(2, '0');

/** One step after the other. */
export function chainSteps(length: number): string {
  return Array.from({ length }, (_, i) => `  - name: step-${pad(i + 1)}${i === 0 ? '' : `\n    dependsOn: [step-${pad(i)}]`}\n    job:${job('[--batch, "10"]')}`).join('');
}

/** One step for so many items: one Indexed Job, or a Job for each. */
export function fanOutSteps(items: number, shape: 'indexed' | 'jobs'): string {
  return `  - name: each\n    forEach: {count: ${items}}\n    job:${job(shape === 'jobs' ? '[--item, $(item)]' : '[--batch, "10"]')}`;
}

/** Runs only when asked, many at once, and keeps what has ended for as long as the bench may want to see it. */
export function workflowMap(namespace: string, name: string, steps: string): JsonObject {
  const text = `# yaml-language-server: $schema=https://example.com/workflow.schema.json
apiVersion: job-chief/v1
kind: Workflow
trigger: {onRequest: true}
concurrency: {max: 100}
retention:
  succeeded: {count: 1000}
steps:
${steps}`;
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels: { [kindLabel]: 'workflow' } }, data: { [specKey]: text } };
}

export function specOf(configMap: JsonObject): WorkflowSpec {
  const name = nameOf(configMap);
  const data = { [specKey]: stringAt(objectAt(configMap, 'data'), specKey) ?? '' };
  const { spec, problems } = parseSpec({ file: `configmap/${name}`, objectName: name, label: 'workflow', data }, { connections: new Map() });
  if (spec?.kind !== 'Workflow') throw new Error(`the bench's own spec is wrong: ${problems.map(({ message }) => message).join('; ')}`);
  return spec;
}

/** The record that asks for a run, as the command line writes it. */
export function request(configMap: JsonObject, key: string): { readonly run: string; readonly manifest: JsonObject } {
  const asked = requestRun(specOf(configMap), { instance: defaultInstance, key });
  const record = { name: asked.name, request: asked.request, parameters: {}, data: undefined, owner: undefined };
  return { run: asked.name, manifest: recordManifest(record, encodeParameters({}), defaultInstance) };
}

/**
 * The Jobs of one run in the order of its steps, as a controller makes them for a run called `run`, but owned by the stored
 * ConfigMap `owner` instead of a record.
 */
export function bareJobs(owner: JsonObject, namespace: string, run: string): readonly JsonObject[] {
  const whole = specOf(owner);
  // All at once: nobody has to play their pods.
  const spec: WorkflowSpec = { ...whole, steps: whole.steps.map((step) => ({ ...step, dependsOn: { all: [], phase: undefined, expression: undefined } })) };
  const record: ObservedRecord = {
    name: run, uid: stringAt(objectAt(owner, 'metadata'), 'uid') ?? '', resourceVersion: '1', createdAt: 0, deleting: false, ownerUid: undefined, target: { kind: 'workflow', name: spec.name },
    request: { workflow: spec.name, trigger: 'request' }, phase: 'Running', result: undefined, commands: { cancel: undefined, suspend: false, approvals: new Map() },
  };
  const environment: PlanEnvironment = { instance: defaultInstance, namespace, injection: () => undefined };
  const made: JsonObject[] = [];
  const reservations = new Map<string, 'created'>();
  let state: RunState = { startedAt: 0, steps: {}, undo: {} };
  // A round begins only so many.
  for (let before = -1; before < made.length;) {
    before = made.length;
    const plan = planRun({ record, spec, parameters: {}, state, jobs: new Map(), orphans: [], reservations, absent: new Set(), refusals: new Map(), children: new Map(), earlier: undefined, specGone: false, confirmed: new Set(), explanations: new Map() }, environment, 0);
    state = plan.state;
    for (const action of plan.actions) {
      if (action.kind !== 'createStepJob') continue;
      reservations.set(action.jobName, 'created');
      made.push(renamed(action.manifest, { owner, name: `bare-${run}-${made.length}` }));
    }
  }
  return made;
}

/** A name for each repetition, and an owner that exists: the garbage collector would take them away. */
function renamed(manifest: JsonObject, { owner, name }: { owner: JsonObject; name: string }): JsonObject {
  const metadata = objectAt(manifest, 'metadata');
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: nameOf(owner), uid: stringAt(objectAt(owner, 'metadata'), 'uid') ?? '', controller: true }];
  return { ...manifest, metadata: { ...metadata, name, ownerReferences } };
}

