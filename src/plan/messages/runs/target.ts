/** What messages of a Queue start runs of, and what keeps all of them from being started, in the words that requests use. */
import { isRunnable } from '../../../spec/parsed.ts';
import type { QueueRunSpec } from '../../../spec/queue.ts';
import { describeFinding, openFindings } from '../../../spec/request-values.ts';
import type { RunTarget } from '../../../spec/run.ts';
import type { WorkflowSpec } from '../../../spec/workflow.ts';
import type { Stand } from '../../draft.ts';
import { verdictStand } from '../../template-check.ts';
import type { TemplateVerdict } from '../../template-verdict.ts';
import type { MessagesView } from '../observed.ts';

const mostFindings = 5;

/** `held`: nothing of it can be started, and so nothing is leased. */
export function targetOfMessages({ target, parameters }: QueueRunSpec, view: Pick<MessagesView, 'target' | 'targetVerdict' | 'recordsUnknown'>): { readonly spec: WorkflowSpec } | { readonly held: Stand } {
  const { recordsUnknown } = view;
  if (recordsUnknown) return { held: { state: 'Blocked', reason: recordsUnknown.reason, message: recordsUnknown.message } };
  const what = targetText(target);
  if (!view.target) return { held: { state: 'Waiting', reason: 'TargetUnknown', message: `waits for ${what}, which nothing defines` } };
  const { spec } = view.target;
  if (!isRunnable(spec)) return { held: { state: 'Waiting', reason: 'TargetBroken', message: `waits for ${what}, whose spec has errors` } };
  const held = refusal(spec, what) ?? misfit(spec, parameters) ?? paused(spec, what) ?? unchecked(spec, what, view.targetVerdict);
  return held ? { held } : { spec };
}

/** `template "a"`. */
export function targetText({ kind, name }: RunTarget): string {
  return `${kind} "${name}"`;
}

function refusal({ trigger }: WorkflowSpec, what: string): Stand | undefined {
  return trigger.onRequest ? undefined : { state: 'Waiting', reason: 'RequestRefused', message: `${what} takes no requests: its trigger has no onRequest: true` };
}

/** No message could make up for a parameter that the Queue does not name, or for one that is not declared. */
function misfit({ parameters: declared }: WorkflowSpec, parameters: QueueRunSpec['parameters']): Stand | undefined {
  const findings = findingsOf(declared, parameters);
  const more = findings.length - mostFindings;
  const message = `${findings.slice(0, mostFindings).map(describeFinding).join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
  return findings.length === 0 ? undefined : { state: 'Rejected', reason: 'ParametersRefused', message };
}

type Declared = WorkflowSpec['parameters'];
type Findings = ReturnType<typeof openFindings>;

/** Compiling what is declared takes longer than all else in a round. By the two texts themselves, so that it goes with them; no decision can tell. */
const known = new WeakMap<Declared, WeakMap<QueueRunSpec['parameters'], Findings>>();

function findingsOf(declared: Declared, parameters: QueueRunSpec['parameters']): Findings {
  const ofDeclared = known.get(declared) ?? new WeakMap<QueueRunSpec['parameters'], Findings>();
  known.set(declared, ofDeclared);
  const found = ofDeclared.get(parameters) ?? openFindings(declared, parameters);
  ofDeclared.set(parameters, found);
  return found;
}

/** Runs of it would only be queued, and messages lie about meanwhile. */
function paused({ suspend, observe }: WorkflowSpec, what: string): Stand | undefined {
  if (suspend) return { state: 'Waiting', reason: 'SpecSuspended', message: `waits for ${what}, which is suspended` };
  return observe ? { state: 'Waiting', reason: 'SpecObserved', message: `waits for ${what}, which is only observed` } : undefined;
}

/** Its own rounds ask. Until its Jobs have passed its runs would only be queued. */
function unchecked({ hash }: WorkflowSpec, what: string, verdict: MessagesView['targetVerdict']): Stand | undefined {
  if (verdict === undefined) return undefined;
  const result: TemplateVerdict['result'] | undefined = verdict !== 'unasked' && verdict.hash === hash ? verdict.result : undefined;
  if (!result) return { state: 'Checking', reason: 'SpecChecking', message: `waits for ${what}: the API server is asked whether it would take its Jobs` };
  if (result.kind === 'passed') return undefined;
  const { state, reason, message } = verdictStand(result);
  // The Queue itself is in order: as with a spec that has errors.
  return { state: state === 'Rejected' ? 'Waiting' : state, reason, message: `waits for ${what}: ${message}` };
}
