/** POST /api/v1/runs/{name}/…: what people ask of a run that there is. */
import { Type, type TObject } from 'typebox';
import { approveCommand, cancelCommand, suspendCommand, type CommandAnswer } from '../../../plan/run/commands.ts';
import { targetName } from '../../../plan/run/record.ts';
import { isOver } from '../../../plan/run/summary.ts';
import type { StoredRecord } from '../../../reconcile/record-ports.ts';
import { approvalsAnnotation } from '../../../spec/keys.ts';
import { nearest } from '../../../lib/nearest.ts';
import { acceptRun, requireFitting } from './accept-run.ts';
import { found, requireRecords, requireSpecs, soon, unknownRun, type ApiDeps } from './deps.ts';
import { oneOf, runName } from './fields.ts';
import { ApiProblem } from './problem.ts';
import { ok, route, type ApiAnswer, type Route } from './route.ts';
import { acceptedSchema, changedSchema } from './run-schema.ts';
import { frozenSpec } from './run-view.ts';
import { currentSpec, storedRun } from './runs.ts';
import { keyFields, keyHeaders, keyIn } from './submit.ts';

const params = Type.Object({ name: runName });
const stepName = Type.String({ minLength: 1, maxLength: 253, description: 'Name of a step.' });

export function commandRoutes(deps: ApiDeps): readonly Route[] {
  return [cancel(deps), approve(deps), suspend(deps), resume(deps), rerun(deps)];
}

interface Command {
  readonly word: string;
  readonly id: string;
  readonly summary: string;
  readonly description: string;
  readonly bodyOptional?: boolean;
}

/** What the routes have in common. */
function commandRoute<const Body extends TObject>({ word, ...rest }: Command, body: Body) {
  return {
    ...rest,
    method: 'POST',
    path: `/api/v1/runs/{name}/${word}`,
    tag: 'runs',
    role: 'admin',
    params,
    body,
    answers: { 200: { description: 'Written on the record, or asked for before.', schema: changedSchema } },
    problems: [404, 409, 413, 415, 422, 501, 503],
  } as const;
}

function cancel(deps: ApiDeps): Route {
  const body = Type.Object({ reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024, description: 'Why, for people.', pattern: '\\S' })) }, { additionalProperties: false });
  return route({
    ...commandRoute({ word: 'cancel', id: 'cancelRun', summary: 'Cancel a run', description: 'Its Jobs are ended, nothing new starts but `finally`.', bodyOptional: true }, body),
    handle: ({ params: { name }, body: given, caller }) => {
      const reason = (given as { readonly reason?: string } | undefined)?.reason ?? `asked for over HTTP by ${caller.name}`;
      return change(deps, name, ({ record }) => cancelCommand(record, reason));
    },
  });
}

const emptyBody = Type.Object({}, { additionalProperties: false });

function suspend(deps: ApiDeps): Route {
  return route({
    ...commandRoute({ word: 'suspend', id: 'suspendRun', summary: 'Suspend a run', description: 'What runs may finish, nothing new starts.', bodyOptional: true }, emptyBody),
    handle: ({ params: { name } }) => change(deps, name, ({ record }) => suspendCommand(record, true)),
  });
}

function resume(deps: ApiDeps): Route {
  return route({
    ...commandRoute({ word: 'resume', id: 'resumeRun', summary: 'Resume a run', description: 'A run that was suspended goes on.', bodyOptional: true }, emptyBody),
    handle: ({ params: { name } }) => change(deps, name, ({ record }) => suspendCommand(record, false)),
  });
}

function approve(deps: ApiDeps): Route {
  const body = Type.Object({ step: stepName, verdict: Type.Optional({ ...oneOf(['approved', 'rejected'], 'The word that is given.'), default: 'approved' }) }, { additionalProperties: false });
  return route({
    ...commandRoute({ word: 'approve', id: 'approveStep', summary: 'Approve or reject a step', description: 'A step that waits for somebody gets its word. It counts also when it is given before the step is reached.' }, body),
    handle: ({ params: { name }, body: { step, verdict = 'approved' } }) =>
      change(deps, name, async ({ record, data, state }) => {
        const spec = frozenSpec(record, data) ?? (data ? undefined : await currentSpec(deps, record));
        const written = found(await deps.runs.annotations(name))?.[approvalsAnnotation];
        return approveCommand(record, { step, word: verdict === 'rejected' ? 'rejected' : 'approved' }, { spec, state: typeof state === 'object' ? state : undefined, written });
      }),
  });
}

function rerun(deps: ApiDeps): Route {
  const body = Type.Object({ from: Type.Optional({ ...stepName, description: 'First step that runs again, with all that follow it; without it those that did not succeed.' }), ...keyFields }, { additionalProperties: false });
  const common = commandRoute({ word: 'rerun', id: 'rerunRun', summary: 'Run it again', description: 'A new run with the parameters of an earlier one that is over, and with the text as it is now. What succeeded is carried over.', bodyOptional: true }, body);
  return route({
    ...common,
    headers: keyHeaders,
    answers: { 202: { description: 'Written down.', schema: acceptedSchema, headers: { Location: 'Where to ask how it gets on.' } } },
    handle: async (request) => {
      requireSpecs(deps);
      requireRecords(deps);
      const given = request.body as { readonly from?: string; readonly idempotencyKey?: string } | undefined;
      return again(deps, await storedRun(deps, request.params.name), { from: given?.from, key: keyIn(request, given?.idempotencyKey) });
    },
  });
}

async function again(deps: ApiDeps, { record, parameters }: StoredRecord, { from, key }: { readonly from: string | undefined; readonly key: string | undefined }): Promise<ApiAnswer> {
  if (!isOver(record.phase)) throw new ApiProblem(409, 'RunOpen', `run "${record.name}" is not over (${record.phase}): wait for it, or cancel it first`);
  const spec = await currentSpec(deps, record);
  const names = spec?.steps.map(({ name }) => name) ?? [];
  if (spec && from !== undefined && !names.includes(from)) {
    const guess = nearest(from, names);
    throw new ApiProblem(404, 'UnknownStep', `"${spec.name}" has no step "${from}" now${guess === undefined ? '' : `; did you mean "${guess}"?`}`);
  }
  if (spec) requireFitting(spec.parameters, parameters);
  const target = { kind: record.target.kind === 'template' ? 'template' : 'workflow', name: targetName(record) } as const;
  return acceptRun(deps, { target, parameters, key, priority: undefined, rerunOf: { run: record.name, uid: record.uid, ...(from === undefined ? {} : { from }) } });
}

/** How often a record that others write at the same time is read again. */
const tries = 5;

/** Reads, decides, writes. */
async function change(deps: ApiDeps, name: string, decide: (stored: StoredRecord) => CommandAnswer | Promise<CommandAnswer>): Promise<ApiAnswer> {
  for (let left = tries; left > 0; left -= 1) {
    const stored = await storedRun(deps, name);
    const answer = await decide(stored);
    if (answer.kind === 'refused') throw new ApiProblem(statuses[answer.code], answer.code, answer.message);
    if (answer.kind === 'already') return ok({ name, changed: false, message: answer.message });
    const result = await deps.runs.annotate(stored.record, answer.annotations);
    if (result.kind === 'done') return ok({ name, changed: true, message: answer.message });
    if (result.kind === 'gone') throw unknownRun(name);
    if (result.kind === 'refused') throw new ApiProblem(422, 'Refused', `the API server refused the change: ${result.message}`);
    if (result.kind !== 'conflict') throw new ApiProblem(503, result.kind === 'forbidden' ? 'Missing' : 'ApiServer', `run "${name}" cannot be changed: ${'message' in result ? result.message : result.kind}`, { retryAfter: soon });
  }
  throw new ApiProblem(503, 'ApiServer', `run "${name}" is written by somebody else all the time`, { retryAfter: soon });
}

const statuses = { RunOver: 409, RunGone: 409, UnknownStep: 404, NoApproval: 409, StepEnded: 409 } as const;
