/**
 * Jinja text with plain variables becomes text with references: `{{ size }}` is `$(params.size)`. Nothing is rendered;
 * whatever is more than a variable is told of, with what to do about it.
 */
import { referencesIn } from '../../spec/references.ts';

/** Something that is more than a variable. */
export interface JinjaProblem {
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

/** The text with references, and how it comes from the other. */
export interface ReferenceText {
  readonly text: string;
  /** Names of variables in the order of the text. */
  readonly variables: readonly string[];
  readonly problems: readonly JinjaProblem[];
  /** Where in the Jinja text an offset of the new one stands. */
  readonly offset: (made: number) => number;
}

const construct = /\{\{[\s\S]*?(?:\}\}|$)|\{%[\s\S]*?(?:%\}|$)|\{#[\s\S]*?(?:#\}|$)/g;
const variable = /^\{\{\s*([A-Za-z][A-Za-z0-9_]{0,62})\s*\}\}$/;
/** Words of Jinja that look like variables. */
const words = new Set(['true', 'false', 'none', 'True', 'False', 'None']);

interface Piece {
  readonly from: number;
  readonly text: string;
}

/** Replaces the variables. Comments become blanks; texts that look like references of job-chief are escaped. */
export function withReferences(jinja: string): ReferenceText {
  const pieces: Piece[] = [];
  const variables = new Set<string>();
  const problems: JinjaProblem[] = [];
  let at = 0;
  for (const { index, 0: found } of jinja.matchAll(construct)) {
    pieces.push(...plain(jinja.slice(at, index), at));
    const name = variable.exec(found)?.[1];
    const problem = found.startsWith('{#') ? undefined : (name === undefined || words.has(name) ? problemOf(found) : afterDollar(jinja, index));
    if (problem) problems.push({ offset: index, ...problem });
    if (name !== undefined && !problem) variables.add(name);
    pieces.push({ from: index, text: found.startsWith('{#') ? found.replace(/[^\n]/g, ' ') : `$(params.${name ?? 'x'})` });
    at = index + found.length;
  }
  pieces.push(...plain(jinja.slice(at), at));
  return { text: pieces.map(({ text }) => text).join(''), variables: [...variables], problems, offset: (made) => originalOffset(pieces, made) };
}

/** Text outside of Jinja. */
function plain(text: string, from: number): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const { offset } of referencesIn(text)) {
    pieces.push({ from: from + at, text: text.slice(at, offset) }, { from: from + offset, text: '$' });
    at = offset;
  }
  return [...pieces, { from: from + at, text: text.slice(at) }];
}

function originalOffset(pieces: readonly Piece[], made: number): number {
  let start = 0;
  for (const [index, { from, text }] of pieces.entries()) {
    const next = pieces[index + 1]?.from ?? Number.POSITIVE_INFINITY;
    if (made < start + text.length) return Math.min(from + made - start, next - 1);
    start += text.length;
  }
  return (pieces.at(-1)?.from ?? 0) + (pieces.at(-1)?.text.length ?? 0);
}

/** `$$(` is how a plain `$(` is written. */
function afterDollar(jinja: string, index: number): Omit<JinjaProblem, 'offset'> | undefined {
  if (jinja.charAt(index - 1) !== '$') return undefined;
  return { message: 'a "$" stands directly before the variable, and would take its meaning away', hint: 'let the "$" be part of the value' };
}

function problemOf(found: string): Omit<JinjaProblem, 'offset'> {
  const text = found.replace(/\s+/g, ' ');
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  if (!/[}%]\}$/.test(found)) return { message: `${shown} is not closed`, hint: 'close it' };
  if (found.startsWith('{%')) return { message: `${shown} is more than a variable`, hint: statementHint(found) };
  const [, name] = /^\{\{-?\s*([A-Za-z_]\w*)\s*\|\s*default\b/.exec(found) ?? [];
  if (name !== undefined) return { message: `${shown} has a filter`, hint: `write {{ ${name} }} here, and give the parameter a default: in the spec afterwards` };
  if (/^\{\{-|-\}\}$/.test(found)) return { message: `${shown} takes blanks around it away`, hint: 'write {{ NAME }} without the hyphen, and the text as it should be' };
  if (/^\{\{\s*_\w*\s*\}\}$/.test(found)) return { message: `${shown}: names of parameters begin with a letter`, hint: 'rename the variable' };
  if (/^\{\{\s*(?:["'\d]|true\b|false\b|none\b)/i.test(found)) return { message: `${shown} is no variable`, hint: 'write the value itself' };
  return { message: `${shown} is more than a variable`, hint: 'let the caller compute it, and write {{ NAME }}: a parameter may be an object, of which $(params.NAME.field) is a part' };
}

/** What to do about a statement, by its words. */
const statements: readonly (readonly [words: readonly string[], hint: string])[] = [
  [['if', 'elif', 'else', 'endif'], 'make a definition for each case, or let a parameter have both values'],
  [['for', 'endfor'], 'write the list out; a Workflow has forEach where each item is work of its own'],
  [['set'], 'write the value where it is used'],
  [['include', 'import', 'from', 'extends', 'macro', 'block'], 'write the text out'],
];

function statementHint(found: string): string {
  const word = /^\{%[-+]?\s*(\w+)/.exec(found)?.[1] ?? '';
  return statements.find(([known]) => known.includes(word))?.[1] ?? 'write the text without it';
}
