/** All that has to hold before the first Job is created. */
import { KubernetesJobs } from '../../adapters/kubernetes/job-api.ts';
import { filesManifest } from '../../adapters/kubernetes/record-manifest.ts';
import type { KubernetesClient } from '../../adapters/kubernetes/client.ts';
import { labelValue } from '../../lib/label-value.ts';
import type { RunCommands } from '../../plan/run/record.ts';
import { deniedBy } from '../../reconcile/template-checker.ts';
import { podPolicyFrom } from '../../spec/pod-policy/policy.ts';
import { dryRunJobs } from '../../plan/workflow/dry-run.ts';
import { workflowKey } from '../../reconcile/key.ts';
import type { RecordStore } from '../../reconcile/record-ports.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import { UserError } from '../exit-code.ts';
import { standaloneInstance, type RunIdentity } from './identity.ts';
import { allSteps, type LoadedWorkflow } from './load.ts';

/** The word on each step that waits for one, as far as it is given. Throws a UserError where one is missing that nothing else could bring. */
export function approvalsFor(spec: WorkflowSpec, given: readonly string[]): RunCommands['approvals'] {
  const waiting = allSteps(spec).filter(({ work }) => work.kind === 'approve');
  const words = new Map(given.map((text): [string, 'approved' | 'rejected'] => {
    const [name = '', word = 'approved'] = text.split('=');
    if (word !== 'approved' && word !== 'rejected') throw new UserError(`--approve takes STEP or STEP=rejected, not "${text}"`);
    if (!waiting.some((step) => step.name === name)) throw new UserError(`no step "${name}" waits for an approval${waiting.length === 0 ? '' : `; these do: ${waiting.map((step) => step.name).join(', ')}`}`);
    return [name, word];
  }));
  const open = waiting.filter(({ name, timeout }) => !words.has(name) && timeout === undefined);
  if (open.length === 0) return words;
  const names = open.map(({ name }) => `"${name}"`).join(', ');
  throw new UserError(`${open.length === 1 ? `step ${names} waits` : `steps ${names} wait`} to be approved, and a standalone run has no record to write that on: give the word now, with ${open.map(({ name }) => `--approve ${name}`).join(' ')} (or ${open[0]?.name ?? ''}=rejected)`);
}

/** Throws a UserError with what is never allowed, or what the API server says about each Job that it would refuse later. Nothing is created. */
export async function checkJobs(client: KubernetesClient, spec: WorkflowSpec): Promise<void> {
  const jobs = new KubernetesJobs({ client, instance: standaloneInstance });
  const manifests = dryRunJobs(spec, workflowKey(labelValue(spec.name)), { instance: standaloneInstance, namespace: client.namespace, injection: () => undefined });
  const denied = deniedBy(podPolicyFrom(undefined, { connectionSecrets: [], ownServiceAccount: undefined }), manifests);
  if (denied !== undefined) throw new UserError(`nothing was started, since one of these Jobs may never be created:\n       ${denied}`);
  const answers = await Promise.all(manifests.map(async ({ what, manifest }) => ({ what, result: await jobs.dryRun(manifest) })));
  // A full quota is no fault of the Job's: the run waits for room.
  const problems = answers.flatMap(({ what, result }) => (result.kind === 'refused' || result.kind === 'forbidden' || result.kind === 'unknown' ? [`${what}: ${result.message}`] : []));
  if (problems.length > 0) throw new UserError(`nothing was started, since the API server would not take these Jobs:\n       ${problems.join('\n       ')}`);
}

/** The files that steps mount, as an immutable ConfigMap. Throws a UserError where it cannot be had. */
export async function createFiles(createMap: RecordStore['createMap'], { mounted }: LoadedWorkflow, identity: RunIdentity): Promise<void> {
  if (Object.keys(mounted).length === 0) return;
  const result = await createMap(filesManifest({ ...identity, ownerless: true }, mounted, standaloneInstance));
  if (result.kind !== 'done') throw new UserError(`the ConfigMap of the files cannot be created: ${'message' in result ? result.message : `something else of its name ${result.kind === 'exists' ? 'exists' : 'was there'}`}`);
}
