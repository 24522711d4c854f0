/**
 * Creating one Job whose name is the lock: reserve it, post it, and believe nothing but a clean answer. What an existing
 * Job of that name means is for the caller to say.
 */
import type { JsonObject } from '../lib/json.ts';
import type { OwnParts } from '../plan/action.ts';
import type { Refusal, SpecKey } from '../plan/observed.ts';
import { policyFindings } from '../spec/pod-policy/check.ts';
import { policyText } from '../spec/pod-policy/finding.ts';
import type { PodPolicy } from '../spec/pod-policy/policy.ts';
import type { CreateGate } from './create-gate.ts';
import type { Memory } from './memory.ts';
import type { JobApi, LiveJob, WriteResult } from './ports.ts';

export interface CreateDeps {
  /** The last gate: whatever a plan made of templates and parameters, a Job that it denies is never sent. */
  readonly policy: PodPolicy;
  readonly jobs: JobApi;
  readonly memory: Memory;
  readonly gate: CreateGate;
}

export type LookUpDeps = Pick<CreateDeps, 'jobs' | 'memory'>;

/**
 * `created`: a clean 201. `found`: a Job of that name is there, also before our create where `before` says so; the name
 * stays reserved, in doubt. `refused` and `absent`: no such Job, the name is free again. `unclear`: nobody knows, the name
 * stays reserved, in doubt.
 */
export type NamedResult =
  | { readonly kind: 'created'; readonly job: { readonly name: string; readonly uid: string; readonly resourceVersion: string } }
  | { readonly kind: 'found'; readonly job: LiveJob; readonly before: boolean }
  | { readonly kind: 'refused'; readonly refusal: Refusal['kind']; readonly message: string }
  | { readonly kind: 'absent'; readonly message: string }
  | { readonly kind: 'unclear'; readonly message: string };

export interface NamedJob {
  readonly jobName: string;
  readonly manifest: JsonObject;
  readonly ours?: OwnParts | undefined;
  /** Asked just before it is sent, after all waiting: false if it is not wanted any more. */
  readonly still?: () => boolean;
}

/** Reserves and posts, and looks up whatever got no clean answer. Never throws for an answer of the API server. */
export async function createNamed(deps: CreateDeps, key: SpecKey, named: NamedJob): Promise<NamedResult> {
  const { jobName, manifest, ours = [], still = always } = named;
  const findings = policyFindings(manifest, deps.policy, { ours });
  if (findings.length > 0) return { kind: 'refused', refusal: 'denied', message: policyText(findings) };
  deps.memory.reserve(key, jobName);
  const request = { sent: false };
  const result = await deps.gate.pass(() => {
    if (!still()) return notWanted;
    request.sent = true;
    return deps.jobs.create(manifest);
  });
  if (result === withdrawn) {
    deps.memory.release(key, jobName);
    return { kind: 'absent', message: withdrawn.message };
  }
  if (result.kind === 'done') return { kind: 'created', job: { name: jobName, uid: result.uid, resourceVersion: result.resourceVersion } };
  // 400 and 422: the API server looked at the object and did not store it. What the gate held back was never sent.
  if (result.kind === 'refused' || (!request.sent && (result.kind === 'quota' || result.kind === 'forbidden'))) return released(deps, key, { jobName, refusal: result.kind, message: result.message });
  return afterDoubt(deps, key, { jobName, answer: result });
}

const always = (): boolean => true;
const withdrawn = { kind: 'unknown', message: 'it was not wanted any more' } as const satisfies WriteResult;
const notWanted = Promise.resolve<WriteResult>(withdrawn);

/** The second half of a create that got no clean answer, also in a later round. */
export function lookUpNamed(deps: LookUpDeps, key: SpecKey, jobName: string): Promise<NamedResult> {
  return afterDoubt(deps, key, { jobName, answer: undefined });
}

/**
 * Anything but 201, 400 and 422 leaves it open whether the Job exists: an existing name answers 403 when the quota is
 * full, and a connection that broke after the request may have created it. Only a live GET decides.
 */
async function afterDoubt(deps: LookUpDeps, key: SpecKey, { jobName, answer }: { jobName: string; answer: WriteResult | undefined }): Promise<NamedResult> {
  deps.memory.doubt(key, jobName);
  const found = await deps.jobs.get(jobName);
  if (found.kind === 'failed') return { kind: 'unclear', message: `whether Job "${jobName}" exists is not known: ${found.message}` };
  if (found.kind === 'found') return { kind: 'found', job: found.value, before: answer?.kind === 'exists' };
  if (answer?.kind === 'quota' || answer?.kind === 'forbidden') return released(deps, key, { jobName, refusal: answer.kind, message: answer.message });
  deps.memory.release(key, jobName);
  return { kind: 'absent', message: `Job "${jobName}" was not created` };
}

function released(deps: LookUpDeps, key: SpecKey, refused: { jobName: string; refusal: Refusal['kind']; message: string }): NamedResult {
  deps.memory.release(key, refused.jobName);
  return { kind: 'refused', refusal: refused.refusal, message: refused.message };
}
