/** A spec's ConfigMap as somebody looks at it: what it says, and what the controller said about it. */
import { annotationsOf, labelsOf, textsAt, timeAt } from '../../adapters/kubernetes/labels.ts';
import { identityOf } from '../../adapters/kubernetes/watch-event.ts';
import { isObject, objectAt, stringAt, type JsonObject } from '../../lib/json.ts';
import type { Claim } from '../../plan/observed.ts';
import { describeProblem } from '../../plan/status.ts';
import { winningClaim } from '../../plan/winner.ts';
import { substitutionDisabled } from '../../spec/input-rules.ts';
import * as keys from '../../spec/keys.ts';
import { parseSpec } from '../../spec/parse.ts';
import { isRunnable, type ParsedSpec, type SpecEnvironment } from '../../spec/parsed.ts';
import type { RunTarget } from '../../spec/run.ts';
import type { WorkflowSpec } from '../../spec/workflow.ts';

export interface SpecView {
  /** As the text or the label has it. */
  readonly kind: string;
  /** Logical name. */
  readonly name: string;
  readonly claim: Claim;
  /** What the controller wrote; undefined: nothing, or nothing that can be read. */
  readonly status: JsonObject | undefined;
}

/** undefined: another instance's. Without the operator's configuration in `environment`: what depends on it is not checked. */
export function specView(raw: JsonObject, instance: string, environment: SpecEnvironment = {}): SpecView | undefined {
  const labels = labelsOf(raw);
  const identity = identityOf(raw);
  if (!identity || (labels[keys.instanceLabel] ?? keys.defaultInstance) !== instance) return undefined;
  const metadata = objectAt(raw, 'metadata');
  const label = labels[keys.kindLabel];
  const disabled = substitutionDisabled(metadata);
  const parsed = parseSpec({ file: `configmap/${identity.name}`, objectName: identity.name, label, data: textsAt(raw, 'data'), ...(disabled ? { substituteDisabled: true } : {}) }, environment);
  const writtenStatus = annotationsOf(raw)[keys.statusAnnotation];
  return {
    kind: parsed.kind ?? label ?? '',
    name: parsed.name,
    claim: {
      source: { kind: 'configMap', ...identity, createdAt: timeAt(metadata, 'creationTimestamp') ?? 0, deleting: stringAt(metadata, 'deletionTimestamp') !== undefined, writtenStatus, writtenState: labels[keys.stateLabel] },
      parsed,
    },
    status: statusIn(writtenStatus),
  };
}

function statusIn(text: string | undefined): JsonObject | undefined {
  try {
    const status: unknown = JSON.parse(text ?? 'null');
    return isObject(status) ? status : undefined;
  } catch {
    return undefined;
  }
}

/** In a few words; where the controller has not said anything about the text as it is now, that. */
export function standing({ claim: { parsed }, status }: SpecView): { readonly state: string; readonly reason: string; readonly message: string } {
  const problem = firstProblem(parsed);
  if (!status) return { state: 'Unknown', reason: '', message: problem ?? 'no status yet: no controller looks after this namespace and instance, or it writes none' };
  const seen = stringAt(status, 'observedHash') === parsed.hash;
  const message = stringAt(status, 'message') ?? '';
  return { state: stringAt(status, 'state') ?? 'Unknown', reason: stringAt(status, 'reason') ?? '', message: seen || parsed.hash === undefined ? message : `of an older revision: ${message}` };
}

/** What is wrong with the text, if anything. */
export function firstProblem({ problems }: ParsedSpec): string | undefined {
  const error = problems.find(({ severity }) => severity === 'error');
  return error && describeProblem(error);
}

/** What defines a workflow or a template now; undefined: nothing does. */
export function winner(specs: readonly SpecView[], { kind, name }: RunTarget): SpecView | undefined {
  const named = specs.filter((spec) => spec.kind.toLowerCase() === kind && spec.name === name);
  const found = winningClaim(named.map(({ claim }) => claim));
  return found && named[found.index];
}

/** What its runs would be made from, if its text is sound. */
export function runnableIn({ claim: { parsed } }: SpecView): WorkflowSpec | undefined {
  return isRunnable(parsed.spec) ? parsed.spec : undefined;
}
