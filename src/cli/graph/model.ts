/** A workflow as boxes and arrows, whatever language they are drawn in. */
import type { Json } from '../../lib/json.ts';
import type { Expression } from '../../spec/facts.ts';
import { referencesUnder } from '../../spec/references.ts';
import type { StepSpec, WorkflowSpec } from '../../spec/workflow.ts';

export interface GraphModel {
  readonly title: string;
  /** Phases in order; steps outside of phases in one without a name; `finally` last. */
  readonly groups: readonly GraphGroup[];
  readonly edges: readonly GraphEdge[];
}

export interface GraphGroup {
  /** Letters, digits and underscores; unique. */
  readonly id: string;
  /** undefined: no frame is drawn around it. */
  readonly label: string | undefined;
  readonly isFinally: boolean;
  readonly nodes: readonly GraphNode[];
}

export interface GraphNode {
  readonly id: string;
  /** The name first. */
  readonly lines: readonly string[];
  readonly shape: 'job' | 'workflow' | 'approve' | 'undo';
}

/** From what is waited for to what waits. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** Ends are groups: every step of the one waits for all of the other. */
  readonly between: 'nodes' | 'groups' | 'groupAndNode';
  readonly label: string | undefined;
  readonly isUndo: boolean;
}

/** What a workflow looks like. */
export function graphModel(spec: WorkflowSpec): GraphModel {
  const phases = [...Map.groupBy(spec.steps, ({ phase }) => phase)];
  const groups = [
    ...phases.map(([phase, steps], index): GraphGroup => ({ id: `phase_${index}`, label: phase, isFinally: false, nodes: steps.flatMap(nodesOf) })),
    ...(spec.finally.length > 0 ? [{ id: 'at_the_end', label: 'finally', isFinally: true, nodes: spec.finally.flatMap(nodesOf) }] : []),
  ];
  const groupOf = new Map(phases.map(([phase], index) => [phase, `phase_${index}`]));
  const byId = new Map([...spec.steps, ...spec.finally].map((step) => [step.id, step.name]));
  const edges = [...spec.steps, ...spec.finally].flatMap((step) => [...edgesTo(step, byId), ...undoEdge(step)]);
  return { title: spec.name, groups, edges: [...phaseEdges(phases, groupOf), ...edges] };
}

function nodeId(name: string): string {
  return `step_${name.replaceAll(/[^A-Za-z0-9]/g, '_')}`;
}

function undoId(name: string): string {
  return `undo_${name.replaceAll(/[^A-Za-z0-9]/g, '_')}`;
}

function nodesOf(step: StepSpec): GraphNode[] {
  const { kind } = step.work;
  const node: GraphNode = { id: nodeId(step.name), lines: [step.name, ...workLines(step), ...(step.allowFailure ? ['may fail'] : [])], shape: kind === 'subRun' ? 'workflow' : kind === 'approve' ? kind : 'job' };
  return step.undo ? [node, { id: undoId(step.name), lines: [`undo ${step.name}`], shape: 'undo' }] : [node];
}

function workLines({ work, forEach }: StepSpec): string[] {
  const times = forEach ? [timesText(forEach.source)] : [];
  switch (work.kind) {
    case 'job':
      return times;
    case 'manifests':
      return [work.several ? `${work.manifests.length} files` : short(work.manifests.map(({ file }) => file).join(', ')), ...times];
    case 'subRun':
      return [`${work.target.kind} ${work.target.name}`, ...times];
    case 'approve':
      return [work.message === '' ? 'approve' : `approve: ${short(work.message)}`];
  }
}

function timesText(source: NonNullable<StepSpec['forEach']>['source']): string {
  switch (source.kind) {
    case 'items':
      return `× ${source.items.length}`;
    case 'from':
      return `× each of ${short(source.reference)}`;
    case 'count':
      return `× ${short(String(source.count))}`;
  }
}

const longest = 48;

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= longest ? line : `${line.slice(0, longest - 1)}…`;
}

type Phase = readonly [name: string | undefined, steps: readonly StepSpec[]];

/** One arrow between two phases where all steps wait; else one to each step that does. */
function phaseEdges(phases: readonly Phase[], groupOf: ReadonlyMap<string | undefined, string>): GraphEdge[] {
  return phases.flatMap(([phase, steps]): GraphEdge[] => {
    const waiting = steps.filter(({ dependsOn }) => dependsOn.phase !== undefined);
    const from = groupOf.get(waiting[0]?.dependsOn.phase);
    const to = groupOf.get(phase);
    if (from === undefined || to === undefined) return [];
    const arrow = { label: undefined, isUndo: false, from };
    if (waiting.length === steps.length) return [{ ...arrow, to, between: 'groups' as const }];
    return waiting.map((step) => ({ ...arrow, to: nodeId(step.name), between: 'groupAndNode' as const }));
  });
}

/** One arrow for each step that is waited for, with all that is said about it. */
function edgesTo(step: StepSpec, nameOf: ReadonlyMap<string, string>): GraphEdge[] {
  const labels = new Map<string, Set<string>>();
  const say = (name: string, label?: string): void => {
    const known = labels.get(name) ?? new Set();
    if (label !== undefined) known.add(label);
    labels.set(name, known);
  };
  for (const name of step.dependsOn.all) say(name);
  for (const { from, output } of outputsUsed(step, nameOf)) say(from, output);
  for (const { name, text } of asked(step.dependsOn.expression, nameOf)) say(name, text);
  for (const { name, text } of asked(step.when, nameOf)) say(name, `when ${text}`);
  return [...labels].map(([from, said]) => ({ from: nodeId(from), to: nodeId(step.name), between: 'nodes', label: said.size === 0 ? undefined : [...said].join('; '), isUndo: false }));
}

/** The steps that an expression names, each with its text. */
function asked(expression: Expression | undefined, nameOf: ReadonlyMap<string, string>): { readonly name: string; readonly text: string }[] {
  return (expression?.steps ?? []).map((id) => ({ name: nameOf.get(id) ?? id, text: short(expression?.text ?? '') }));
}

/** Steps whose outputs it names. */
function outputsUsed(step: StepSpec, nameOf: ReadonlyMap<string, string>): { readonly from: string; readonly output: string }[] {
  const { work, timeout, forEach } = step;
  const values = [work.kind === 'job' ? work.template : null, work.kind === 'subRun' ? work.parameters : null, timeout ?? null, forEach ? sourceValue(forEach.source) : null] as Json;
  const names = new Set(nameOf.values());
  return referencesUnder(values, []).flatMap(({ reference: { root, path } }) => {
    const [name = '', field, output = field ?? ''] = path;
    const from = names.has(name) ? name : nameOf.get(name);
    return root === 'steps' && from !== undefined ? [{ from, output }] : [];
  });
}

function sourceValue(source: NonNullable<StepSpec['forEach']>['source']): Json {
  return source.kind === 'items' ? [...source.items] : source.kind === 'from' ? source.reference : source.count;
}

function undoEdge({ name, undo }: StepSpec): GraphEdge[] {
  return undo ? [{ from: nodeId(name), to: undoId(name), between: 'nodes', label: undefined, isUndo: true }] : [];
}

/** For messages. */
export function graphSize({ groups, edges }: GraphModel): { readonly nodes: number; readonly edges: number } {
  return { nodes: groups.reduce((sum, { nodes }) => sum + nodes.length, 0), edges: edges.length };
}
