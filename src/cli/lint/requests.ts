/** Requests in the files at hand, held against the templates and workflows beside them: Runs, steps that are runs, and Queues whose messages start runs. */
import { isObject, objectAt, type JsonObject } from '../../lib/json.ts';
import { readDocument } from '../../spec/document.ts';
import { pathText, type FieldPath } from '../../spec/field-path.ts';
import { specKey } from '../../spec/keys.ts';
import { isRunnable, type ParsedSpec } from '../../spec/parsed.ts';
import { problemCodes } from '../../spec/problem-codes.ts';
import type { Problem } from '../../spec/problem.ts';
import type { QueueSpec } from '../../spec/queue.ts';
import type { Finding } from '../../spec/report.ts';
import { openFindings } from '../../spec/request-values.ts';
import { runTargets } from '../../spec/run-schema.ts';
import type { RunTarget } from '../../spec/run.ts';
import { stepTexts } from '../../spec/workflow-steps.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';
import type { FoundSpec } from './manifests.ts';

export interface LintedSpec {
  readonly found: FoundSpec;
  readonly parsed: ParsedSpec;
}

/** Parameters that do not fit what they are for. What is not among the files may be anywhere else, and nothing is said of it. */
export function misfitRequests(specs: readonly LintedSpec[]): Problem[] {
  const targets = new Map(specs.flatMap(({ found, parsed: { spec } }) => (isRunnable(spec) ? [[targetKey(found, { kind: spec.kind === 'Template' ? 'template' : 'workflow', name: spec.name }), spec] as const] : [])));
  return targets.size === 0 ? [] : specs.flatMap((one) => problemsOf(one, targets));
}

function targetKey({ namespace, instance }: FoundSpec, { kind, name }: RunTarget): string {
  return JSON.stringify([kind, name, namespace, instance]);
}

interface Request {
  readonly target: RunTarget;
  readonly values: JsonObject;
  /** Of the values. */
  readonly path: FieldPath;
}

function problemsOf({ found, parsed }: LintedSpec, targets: ReadonlyMap<string, WorkflowSpec>): Problem[] {
  if (!asks(parsed)) return [];
  const document = readDocument(found.input.data[specKey] ?? '');
  if (!isObject(document.value)) return [];
  const requests = parsed.spec?.kind === 'Run' ? requestsIn(document.value, []) : parsed.spec?.kind === 'Queue' ? ofQueue(parsed.spec) : stepTexts(document.value).all.flatMap(({ value, path }) => runTargets.flatMap((kind) => requestsIn(objectAt(value, kind), [...path, kind], kind)));
  return requests.flatMap(({ target, values, path }) => {
    const of = targets.get(targetKey(found, target));
    const findings = of ? openFindings(of.parameters, values).map((finding) => ({ ...finding, path: [...path, ...(finding.path ?? [])] })) : [];
    return findings.map((finding) => found.place(problemAt(finding, { file: found.input.file, ...document.place(finding) })));
  });
}

function ofQueue(spec: QueueSpec): Request[] {
  return spec.mode === 'drain' || !spec.run ? [] : [{ target: spec.run.target, values: spec.run.parameters, path: ['perMessage', 'parameters'] }];
}

/** Reading a text once more takes a while where it has thousands of steps. */
function asks({ spec }: ParsedSpec): boolean {
  return spec?.kind === 'Run' || (spec?.kind === 'Queue' && ofQueue(spec).length > 0) || (spec?.kind === 'Workflow' && [...spec.steps, ...spec.finally].some(({ work }) => work.kind === 'subRun'));
}

/** `kind`: of a step, whose target stands in `name`; else that of a Run, which has a field for each kind. */
function requestsIn(holder: JsonObject, path: FieldPath, kind?: RunTarget['kind']): Request[] {
  const found = kind === undefined ? runTargets.find((field) => Object.hasOwn(holder, field)) : kind;
  const name = found === undefined ? undefined : holder[kind === undefined ? found : 'name'];
  return found === undefined || typeof name !== 'string' ? [] : [{ target: { kind: found, name }, values: objectAt(holder, 'parameters'), path: [...path, 'parameters'] }];
}

function problemAt({ code, message, path = [], hint }: Finding, position: NonNullable<Problem['position']>): Problem {
  return { code, severity: problemCodes[code], message, path: pathText(path), position, ...(hint === undefined ? {} : { hint }) };
}
