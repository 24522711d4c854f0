/** Mermaid, as GitHub and GitLab draw it in Markdown. */
import type { GraphEdge, GraphGroup, GraphModel, GraphNode } from './model.ts';

/** More arrows than this Mermaid does not draw, unless it is configured to. */
export const mostMermaidEdges = 500;

/** The text of a flowchart. */
export function mermaid({ title, groups, edges }: GraphModel): string {
  const solid = edges.filter(({ isUndo }) => !isUndo);
  const undo = edges.filter(({ isUndo }) => isUndo);
  return [
    '---',
    // YAML, in which JSON is text.
    `title: ${JSON.stringify(title)}`,
    '---',
    'flowchart TD',
    ...groups.flatMap(group),
    ...solid.map(edge),
    ...undo.map(edge),
    ...(undo.length > 0 ? ['  classDef undo stroke-dasharray: 4 3'] : []),
  ].join('\n');
}

function group({ id, label, nodes }: GraphGroup): string[] {
  if (label === undefined) return nodes.map((one) => `  ${node(one)}`);
  return [`  subgraph ${id}["${escaped(label)}"]`, ...nodes.map((one) => `    ${node(one)}`), '  end'];
}

const frames = { job: ['[', ']'], workflow: ['[[', ']]'], approve: ['{{', '}}'], undo: ['([', '])'] } as const satisfies Record<GraphNode['shape'], readonly [string, string]>;

function node({ id, lines, shape }: GraphNode): string {
  const [open, close] = frames[shape];
  return `${id}${open}"${lines.map(escaped).join('<br>')}"${close}${shape === 'undo' ? ':::undo' : ''}`;
}

function edge({ from, to, label, isUndo }: GraphEdge): string {
  const arrow = isUndo ? '-.->' : '-->';
  return `  ${from} ${arrow}${label === undefined ? '' : `|"${escaped(label)}"|`} ${to}`;
}

/** Everything that is not plain text in a quoted label, HTML and Markdown included, by its number. */
function escaped(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} .,:×…_/-]/gu, (character) => `#${character.codePointAt(0) ?? 32};`);
}
