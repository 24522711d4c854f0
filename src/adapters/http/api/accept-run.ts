/** Writes down that a run is asked for. What is answered with 202 is at the API server; nothing else is. */
import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '../../../lib/json.ts';
import { pathText } from '../../../spec/field-path.ts';
import { requestFor, targetOf, type RunRequest } from '../../../plan/run/record.ts';
import type { Hold } from '../../../plan/workflow/start-hold.ts';
import { requestRun } from '../../../plan/workflow/request-run.ts';
import type { SpecEntry } from '../../../reconcile/api-ports.ts';
import type { WriteResult } from '../../../reconcile/ports.ts';
import { requestFindings } from '../../../spec/request-values.ts';
import { isRunnable } from '../../../spec/parsed.ts';
import type { RunTarget } from '../../../spec/run.ts';
import type { ParameterSpec, WorkflowSpec } from '../../../spec/workflow.ts';
import { soon, type ApiDeps } from './deps.ts';
import { ApiProblem, type PlaceProblem } from './problem.ts';
import type { ApiAnswer } from './route.ts';
import { waitsOf, waitsWithout } from './waits.ts';

/** What somebody asks for. */
export interface Wanted {
  readonly target: RunTarget;
  readonly parameters: JsonObject;
  /** undefined: nobody will ask for the same again. */
  readonly key: string | undefined;
  readonly priority: number | undefined;
  readonly rerunOf: RunRequest['rerunOf'];
}

/** 202 once it is durable; throws ApiProblem. The same key gives the same run, also when what it is a run of is gone by then. */
export async function acceptRun(deps: ApiDeps, wanted: Wanted): Promise<ApiAnswer> {
  const entry = await deps.specs.find(wanted.target.kind, wanted.target.name);
  try {
    const spec = requireRunnable(entry, wanted.target);
    requireFitting(spec.parameters, wanted.parameters);
    return await create(deps, { wanted, spec, entry });
  } catch (error) {
    const before = wanted.key !== undefined && error instanceof ApiProblem && error.status < 500 && error.code !== 'KeyInUse' ? await acceptedBefore(deps, { wanted, key: wanted.key, problem: error }) : undefined;
    if (before) return before;
    throw error;
  }
}

/** Where a run is looked at. */
export function addressOf({ publicUrl }: Pick<ApiDeps, 'publicUrl'>, name: string): string {
  return `${publicUrl}/api/v1/runs/${name}`;
}

function requireRunnable(entry: SpecEntry | undefined, { kind, name }: RunTarget): WorkflowSpec {
  if (!entry) throw new ApiProblem(404, 'UnknownSpec', `there is no ${kind} "${name}"`);
  const { spec, problems } = entry.claim.parsed;
  if (!isRunnable(spec)) throw new ApiProblem(409, 'SpecRejected', `the text of ${kind} "${name}" has errors: ${problems.find(({ severity }) => severity === 'error')?.message ?? 'it cannot be read'}`);
  if (!spec.trigger.onRequest) throw new ApiProblem(409, 'NotRequestable', `${kind} "${name}" takes no requests: its trigger has no onRequest: true`);
  return spec;
}

/** Throws 422 with each place that is wrong. */
export function requireFitting(declared: Readonly<Record<string, ParameterSpec>>, values: JsonObject): void {
  const errors = misfits(declared, values);
  if (errors.length > 0) throw new ApiProblem(422, 'InvalidParameters', `the parameters do not fit: ${errors[0]?.detail ?? ''}`, { errors });
}

const mostErrors = 100;

function misfits(declared: Readonly<Record<string, ParameterSpec>>, values: JsonObject): PlaceProblem[] {
  return requestFindings(declared, values).slice(0, mostErrors).map(({ path = [], message, hint }) => ({
    pointer: pointerTo(path),
    detail: path.length > 1 || hint === undefined ? `parameter ${pathText(path)}: ${message}` : `${message}; ${hint}`,
  }));
}

function pointerTo(path: readonly (string | number)[]): string {
  return `#${encodeURI(['/parameters', ...path.map((part) => pointerPart(String(part)))].join('/'))}`;
}

/** Names come from the caller, and may be as long as a body. */
function pointerPart(part: string): string {
  return part.slice(0, 200).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1');
}

interface Creation {
  readonly wanted: Wanted;
  readonly spec: WorkflowSpec;
  readonly entry: SpecEntry | undefined;
}

async function create(deps: ApiDeps, { wanted, spec, entry }: Creation): Promise<ApiAnswer> {
  const { key = deps.random(), priority, rerunOf, parameters, target } = wanted;
  const { name, request } = requestRun(spec, { instance: deps.instance, key, ...(rerunOf && { rerunOf }), ...(priority !== undefined && { priority }) });
  const result = await deps.runs.create({ name, request, parameters, data: undefined, owner: undefined });
  if (result.kind !== 'done') throw notWritten(result, { name, key: wanted.key });
  const waits = waitsOf(deps, { name, request, target, spec, entry });
  return accepted(deps, { name, target, waits, notes: notesOf(spec, entry, waits) });
}

interface Accepted {
  readonly name: string;
  readonly target: RunTarget;
  readonly waits: Hold | undefined;
  readonly notes: readonly string[];
}

function accepted(deps: ApiDeps, { name, target, waits, notes }: Accepted): ApiAnswer {
  const callbackUrl = addressOf(deps, name);
  return { status: 202, headers: { location: callbackUrl }, body: { name, target: { kind: target.kind, name: target.name }, callbackUrl, waits: waits ?? null, notes } };
}

function notWritten(result: Exclude<WriteResult, { kind: 'done' }>, { name, key }: { readonly name: string; readonly key: string | undefined }): ApiProblem {
  const message = 'message' in result ? result.message : result.kind;
  switch (result.kind) {
    case 'exists':
    case 'conflict':
      return key === undefined ? new ApiProblem(409, 'NameInUse', `something else has the name "${name}"`) : new ApiProblem(409, 'KeyInUse', `the idempotency key was used before, for a run with other parameters: "${name}"`, { more: { run: name } });
    case 'refused':
      return message.startsWith('too large') ? new ApiProblem(413, 'TooLarge', `the run cannot be written down: ${message}`) : new ApiProblem(422, 'Refused', `the API server refused the record: ${message}`);
    case 'quota':
      return new ApiProblem(503, 'ApiServer', `there is no room for another record: ${message}`, { retryAfter: 30 });
    case 'forbidden':
      return new ApiProblem(503, 'Missing', `job-chief may not write records: ${message}`, { retryAfter: 60 });
    case 'gone':
    case 'unknown':
      return new ApiProblem(503, 'ApiServer', `nobody knows whether the run was accepted: ${message}. ${key === undefined ? `Look for "${name}", or send requests with an idempotency key, which can be sent again` : 'Send the same key again'}`, { retryAfter: soon, more: { run: name } });
  }
}

interface Before {
  readonly wanted: Wanted;
  readonly key: string;
  /** Why nobody could ask for it now. */
  readonly problem: ApiProblem;
}

/** The same key, sent again after its spec has gone or changed. */
async function acceptedBefore(deps: ApiDeps, { wanted: { target, parameters, rerunOf }, key, problem }: Before): Promise<ApiAnswer | undefined> {
  const { name } = requestRun({ kind: target.kind === 'template' ? 'Template' : 'Workflow', name: target.name, retention: keepAll }, { instance: deps.instance, key });
  const read = await deps.runs.read(name);
  if (read.kind !== 'found' || read.value.record.request === undefined) return undefined;
  const { request, phase } = read.value.record;
  const isSame = isDeepStrictEqual(requestFor(targetOf(request)), requestFor(target)) && isDeepStrictEqual(request.rerunOf, rerunOf) && isDeepStrictEqual(read.value.parameters, parameters);
  if (!isSame) throw new ApiProblem(409, 'KeyInUse', `the idempotency key was used before, for a run with other parameters: "${name}"`, { more: { run: name } });
  return accepted(deps, { name, target, waits: phase === 'Queued' ? waitsWithout(problem) : undefined, notes: [] });
}

const rule = { count: undefined, age: undefined };
/** Does not go into the name. */
const keepAll = { succeeded: rule, failed: rule };

function notesOf({ suspend, observe, kind }: WorkflowSpec, entry: SpecEntry | undefined, waits: Hold | undefined): string[] {
  const what = kind === 'Template' ? 'the template' : 'the workflow';
  return [
    ...(suspend ? [`${what} is suspended: the run waits`] : []),
    ...(observe ? [`${what} has observe: true: the run waits`] : []),
    ...(waits && !suspend && !observe ? [`the run waits: ${waits.message}`] : []),
    ...(entry?.status === undefined ? [`nothing is known of the state of ${what} yet: the run waits for a controller`] : []),
  ];
}
