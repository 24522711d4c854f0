/** Cycles among the steps of a Workflow, over every sort of dependency. */
import type { FieldPath } from './field-path.ts';
import type { Finding } from './report.ts';
import type { Dependencies } from './workflow-dependencies.ts';
import type { StepText, StepTexts } from './workflow-steps.ts';

/** A step or a phase: the steps of a phase wait for the phase before, which stands for all of its steps. */
type Node = StepText | number;
interface Link {
  readonly to: Node;
  /** Where it is written; a phase waits for its steps without a word. */
  readonly path: FieldPath | undefined;
}
interface Hop extends Link {
  readonly from: Node;
}

/** More of them would be variations of one mistake. */
const mostCycles = 10;

/** One finding for each cycle, at the place of one of its dependencies. */
export function cycleFindings(steps: StepTexts, dependencies: ReadonlyMap<StepText, Dependencies>): Finding[] {
  const links = linksOf(steps, dependencies);
  return cycles(steps.all, (node) => links.get(node) ?? []).map((cycle) => finding(cycle, steps));
}

function linksOf({ all }: StepTexts, dependencies: ReadonlyMap<StepText, Dependencies>): ReadonlyMap<Node, readonly Link[]> {
  const links = new Map<Node, readonly Link[]>();
  for (const step of all) {
    const { all: needed = [], asked = [], phase } = dependencies.get(step) ?? {};
    links.set(step, [...needed, ...asked, ...(phase === undefined ? [] : [{ to: phase, path: undefined }])]);
  }
  for (const [phase, members] of Map.groupBy(all, (step) => step.phase)) {
    if (phase !== undefined) links.set(phase, members.map((to) => ({ to, path: undefined })));
  }
  return links;
}

/** Depth first, with a list instead of recursion: a chain may have thousands of steps. */
function cycles(all: readonly Node[], linksFrom: (node: Node) => readonly Link[]): Hop[][] {
  const state = new Map<Node, 'open' | 'done'>();
  const found: Hop[][] = [];
  for (const start of all) {
    const trail: { readonly node: Node; readonly links: readonly Link[]; next: number }[] = [];
    const enter = (node: Node): void => {
      state.set(node, 'open');
      trail.push({ node, links: linksFrom(node), next: 0 });
    };
    if (!state.has(start)) enter(start);
    for (let top = trail.at(-1); top && found.length < mostCycles; top = trail.at(-1)) {
      const link = top.links[top.next++];
      if (!link) {
        state.set(top.node, 'done');
        trail.pop();
      } else if (!state.has(link.to)) enter(link.to);
      else if (state.get(link.to) === 'open') found.push(trail.slice(trail.findIndex(({ node }) => node === link.to)).flatMap(({ node, links, next }) => hop(node, links[next - 1])));
    }
  }
  return found;
}

function hop(from: Node, link: Link | undefined): Hop[] {
  return link ? [{ from, ...link }] : [];
}

/** Told from the first dependency on that somebody wrote. */
function finding(cycle: readonly Hop[], { phases }: StepTexts): Finding {
  const at = Math.max(0, cycle.findIndex(({ path }) => path !== undefined));
  const hops = [...cycle.slice(at), ...cycle.slice(0, at)];
  const names = hops.map(({ from }) => nameOf(from, phases));
  const shownPath = [...names, names[0] ?? ''];
  const path = hops[0]?.path ?? [];
  const message = hops.length === 1 ? `the step waits for itself: ${shownPath.join(' → ')}` : `steps wait for each other: ${brief(shownPath).join(' → ')}`;
  const hint = hops.some(({ from }) => typeof from === 'number') ? 'a → b: a waits for b; the steps of a phase wait for all of the phase before' : 'a → b: a waits for b; remove one of these dependencies';
  return { code: 'DependencyCycle', message, path, hint };
}

function nameOf(node: Node, phases: readonly string[]): string {
  return typeof node === 'number' ? `phase ${phases[node] ?? node}` : node.name;
}

/** A message stays readable where the cycle is long. */
function brief(names: readonly string[]): string[] {
  return names.length <= 12 ? [...names] : [...names.slice(0, 8), `… ${names.length - 11} more …`, ...names.slice(-3)];
}
