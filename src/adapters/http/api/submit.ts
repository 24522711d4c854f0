/** POST /api/v1/runs: asks for a run of a workflow or a template. */
import { Type, type Static } from 'typebox';
import type { JsonObject } from '../../../lib/json.ts';
import type { RunTarget } from '../../../spec/run.ts';
import { subdomainMessage, subdomainPattern } from '../../../spec/schema-fields.ts';
import { acceptRun } from './accept-run.ts';
import { authorize } from './authenticate.ts';
import { requireRecords, requireSpecs, type ApiDeps } from './deps.ts';
import { ApiProblem } from './problem.ts';
import { route, type ApiRequest, type Route } from './route.ts';
import { acceptedSchema } from './run-schema.ts';
import { runLinks } from './runs.ts';

const key = { minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$', errorMessage: 'must be 1 to 255 visible ASCII characters' };
const name = (what: string) => Type.String({ pattern: subdomainPattern, maxLength: 253, description: `Logical name of the ${what}.`, errorMessage: subdomainMessage });

/** What can be sent with every request that makes a run. */
export const keyFields = {
  idempotencyKey: Type.Optional(Type.String({ ...key, description: 'Whoever sends the same key again gets the same run, for as long as its record is kept. The header `Idempotency-Key` says the same.' })),
};
export const keyHeaders = Type.Object({ 'idempotency-key': Type.Optional(Type.String({ ...key, description: 'As `idempotencyKey` in the body.' })) });

const fields = {
  parameters: Type.Optional(Type.Unsafe<JsonObject>({ type: 'object', additionalProperties: true, description: 'Values of declared parameters: nothing else of a Job can be set.', default: {} })),
  priority: Type.Optional(Type.Integer({ minimum: -1_000_000, maximum: 1_000_000, description: 'Larger ones first where several runs wait. Needs the role admin: whoever submits must not overtake others.' })),
  ...keyFields,
};

const submitFields = Type.Object(
  { workflow: Type.Optional(name('workflow')), template: Type.Optional(name('template')), ...fields },
  { additionalProperties: false, description: 'A run of a workflow or of a template: exactly one of the two.', $id: 'RunRequest', oneOf: [{ required: ['workflow'] }, { required: ['template'] }], errorMessage: 'must have exactly one of workflow and template' },
);
type Submission = Static<typeof submitFields>;

export function submitRoute(deps: ApiDeps): Route {
  return route({
    method: 'POST',
    path: '/api/v1/runs',
    id: 'submitRun',
    tag: 'runs',
    summary: 'Start a run',
    description: 'Answered once the API server has the record of the run: from then on it is not lost, whatever dies. It waits there for its turn, also while the spec is suspended; `waits` says why. Where the answer is 503, or none, the same request with the same idempotency key can be sent again.',
    role: 'submit',
    headers: keyHeaders,
    body: submitFields,
    answers: { 202: { description: 'Written down.', schema: acceptedSchema, headers: { Location: 'Where to ask how it gets on.' }, links: runLinks('/name') } },
    problems: [404, 409, 413, 415, 422, 501, 503],
    handle: (request) => {
      requireSpecs(deps);
      requireRecords(deps);
      const { parameters = {}, priority } = request.body;
      if (priority !== undefined) authorize(request.caller, 'admin');
      return acceptRun(deps, { target: targetIn(request.body), parameters, priority, key: keyIn(request, request.body.idempotencyKey), rerunOf: undefined });
    },
  });
}

function targetIn({ workflow, template = '' }: Submission): RunTarget {
  return workflow === undefined ? { kind: 'template', name: template } : { kind: 'workflow', name: workflow };
}

/** From the body or the header, which may write it in quotes. Throws 409 where the two differ. */
export function keyIn({ headers }: Pick<ApiRequest, 'headers'>, inBody: string | undefined): string | undefined {
  const header = headers['idempotency-key'];
  const inHeader = typeof header === 'string' ? header.replace(/^"(.+)"$/, '$1') : undefined;
  if (inBody === undefined || inHeader === undefined || inBody === inHeader) return inBody ?? inHeader;
  const detail = 'the header Idempotency-Key and idempotencyKey in the body differ';
  throw new ApiProblem(409, 'KeysDiffer', detail, { errors: [{ parameter: 'idempotency-key', detail }] });
}
