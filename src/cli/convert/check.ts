/** Holds every draft to what lint says about it, in the places of the source. */
import { specKey } from '../../spec/keys.ts';
import { pathText, type FieldPath } from '../../spec/field-path.ts';
import { parseSpec } from '../../spec/parse.ts';
import type { Problem } from '../../spec/problem.ts';
import type { Draft } from './draft.ts';
import { Item, problemOf } from './item.ts';
import { specText } from './render.ts';

/** What may be done with a draft. */
export interface Checked {
  readonly draft: Draft;
  /** `written`; `later`: right, but not for this version of job-chief; `wrong`: the source has to be mended first. */
  readonly verdict: 'written' | 'later' | 'wrong';
  readonly problems: readonly Problem[];
}

/** Fields that other versions have. */
const later = new Set(['UnsupportedField']);

/** Reads the spec as the controller would. */
export function checkDraft(draft: Draft): Checked {
  const own = draft.problems;
  if (own.some(({ severity }) => severity === 'error')) return { draft, verdict: 'wrong', problems: own };
  const { problems } = parseSpec({ file: draft.source.document.file, objectName: draft.name, label: draft.kind.toLowerCase(), data: { ...draft.files, [specKey]: specText(draft) } }, {});
  const errors = problems.filter(({ severity }) => severity === 'error');
  const missing = errors.filter(({ code }) => later.has(code));
  if (missing.length > 0) return { draft, verdict: 'later', problems: [...own, notYet(draft, missing)] };
  return { draft, verdict: errors.length > 0 ? 'wrong' : 'written', problems: [...own, ...errors.map((problem) => inSource(draft, problem))] };
}

function notYet(draft: Draft, missing: readonly Problem[]): Problem {
  const fields = missing.map(({ path = '' }) => `"${path}"`).join(' and ');
  const what = `${fields} of ${draft.kind}`;
  const hint = 'the spec is in the output as a comment: keep what does the work now, and use the spec with a version that has this';
  return problemOf(draft.source, 'UnsupportedField', `"${draft.name}" needs ${what}, which this version of job-chief does not have`, { hint });
}

/** The same problem where its field came from. */
function inSource(draft: Draft, problem: Problem): Problem {
  const { message, hint, inside, path = '' } = problem;
  const origin = inside && draft.fileOrigins.get(inside.key);
  if (inside && origin && draft.files[inside.key] === origin.text) return { ...problem, position: { file: origin.file, line: inside.line, column: inside.column } };
  const item = sourceOf(draft, path);
  const told = path === '' || pathText(item.path) === path ? message : `${message} (${path} of the ${draft.kind} that this becomes)`;
  const part = problem.code === 'UnknownField' ? 'key' : 'value';
  return { ...problem, ...problemOf(item, 'InvalidValue', told, { part, ...(hint === undefined ? {} : { hint }) }), code: problem.code };
}

function sourceOf({ origins, source }: Draft, path: string): Item {
  const held = origins.map(({ path: target, item }) => ({ text: pathText(target), item })).filter(({ text }) => path === text || path.startsWith(`${text}.`) || path.startsWith(`${text}[`));
  const nearest = held.toSorted((left, right) => right.text.length - left.text.length)[0];
  if (!nearest) return source;
  const { item, text } = nearest;
  return new Item(item.document, [...item.path, ...pathOf(path.slice(text.length))], undefined);
}

/** The path that `pathText` wrote. */
function pathOf(text: string): FieldPath {
  return Array.from(text.matchAll(/\.?([A-Za-z_][A-Za-z0-9_-]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/g), ([, name, index, quoted]) => {
    if (index !== undefined) return Number(index);
    return quoted === undefined ? (name ?? '') : (JSON.parse(quoted) as string);
  });
}
