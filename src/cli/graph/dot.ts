/** The language of Graphviz. */
import type { GraphEdge, GraphGroup, GraphModel, GraphNode } from './model.ts';

/** The text of a digraph. */
export function dot({ title, groups, edges }: GraphModel): string {
  const ends = new Map(groups.map((group) => [group.id, group]));
  return [
    `digraph ${quoted(title)} {`,
    `  graph [label=${quoted(title)}, labelloc=t, compound=true, fontname="sans-serif"];`,
    '  node [shape=box, style=rounded, fontname="sans-serif"];',
    '  edge [fontname="sans-serif", fontsize=10];',
    ...groups.flatMap(group),
    ...edges.map((one) => edge(one, ends)),
    '}',
  ].join('\n');
}

function group({ id, label, isFinally, nodes }: GraphGroup): string[] {
  if (label === undefined) return nodes.map((one) => `  ${node(one)}`);
  const style = isFinally ? 'dotted' : 'rounded';
  return [`  subgraph ${quoted(`cluster_${id}`)} {`, `    graph [label=${quoted(label)}, style=${style}];`, ...nodes.map((one) => `    ${node(one)}`), '  }'];
}

const shapes = { job: '', workflow: ', shape=box, peripheries=2', approve: ', shape=hexagon', undo: ', style="rounded,dashed"' } as const satisfies Record<GraphNode['shape'], string>;

function node({ id, lines, shape }: GraphNode): string {
  return `${quoted(id)} [label=${quoted(lines.join('\n'))}${shapes[shape]}];`;
}

/** Graphviz has arrows between steps only; one between phases is one between steps of them that is cut at the frames. */
function edge({ from, to, between, label, isUndo }: GraphEdge, groups: ReadonlyMap<string, GraphGroup>): string {
  const tail = between === 'nodes' ? from : firstNode(groups, from);
  const head = between === 'groups' ? firstNode(groups, to) : to;
  const attributes = [
    ...(label === undefined ? [] : [`label=${quoted(label)}`]),
    ...(between === 'nodes' ? [] : [`ltail=${quoted(`cluster_${from}`)}`]),
    ...(between === 'groups' ? [`lhead=${quoted(`cluster_${to}`)}`] : []),
    ...(isUndo ? ['style=dashed'] : []),
  ];
  return `  ${quoted(tail)} -> ${quoted(head)}${attributes.length === 0 ? '' : ` [${attributes.join(', ')}]`};`;
}

function firstNode(groups: ReadonlyMap<string, GraphGroup>, group: string): string {
  return groups.get(group)?.nodes[0]?.id ?? group;
}

/** In labels a backslash begins an escape of Graphviz, so it stands for itself only when it is doubled. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll(/\p{Cc}/gu, ' ')}"`;
}
