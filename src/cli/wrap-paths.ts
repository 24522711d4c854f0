/** Files of a spec as people name them in a folder, by their paths: in a ConfigMap they are data keys, which cannot contain a slash. */
import path from 'node:path';
import { isMap, isScalar, parseDocument, visit, type Pair, type Scalar } from 'yaml';
import { matching } from '../spec/workflow-files.ts';
import { UserError } from './exit-code.ts';

/**
 * The text with `jobs/load.yaml` as `load.yaml` where a step names files, and otherwise as it was. `files`: all there are,
 * relative to the spec. Throws a UserError where a pattern would take files of other folders as well.
 */
export function withDataKeys(text: string, files: readonly string[]): string {
  const named: Scalar<string>[] = [];
  visit(parseDocument(text), { Pair: (_key, pair) => { named.push(...filesNamedIn(pair)); } });
  let result = text;
  // From behind, so that places in front stay where they are.
  for (const { value, range } of named.reverse()) {
    const wanted = path.posix.normalize(value);
    if (!range || !value.includes('/') || matching(wanted, files).length === 0) continue;
    result = `${result.slice(0, range[0])}${result.slice(range[0], range[1]).replace(value, keyFor(wanted, files))}${result.slice(range[1])}`;
  }
  return result;
}

function filesNamedIn({ key, value }: Pair): Scalar<string>[] {
  const field = isScalar(key) ? key.value : undefined;
  if (field === 'jobFile' || field === 'jobFiles') return isText(value) ? [value] : [];
  return field === 'files' && isMap(value) ? value.items.map((entry) => entry.value).filter(isText) : [];
}

function isText(node: unknown): node is Scalar<string> {
  return isScalar(node) && typeof node.value === 'string';
}

/** Of a pattern, too: what it matched in its folder it has to match among all data keys, and nothing else. */
function keyFor(wanted: string, files: readonly string[]): string {
  const key = path.posix.basename(wanted);
  const takes = (file: string): boolean => matching(key, [path.posix.basename(file)]).length > 0;
  if (!matching(wanted, files).every(takes)) throw new UserError(`"${wanted}" names files by their folder, and data keys of a ConfigMap have none: name them, or write a pattern of their names such as "${path.posix.basename(matching(wanted, files)[0] ?? '')}"`);
  const strangers = files.filter((file) => takes(file) && matching(wanted, [file]).length === 0);
  if (strangers.length > 0) throw new UserError(`"${wanted}" becomes "${key}" in a ConfigMap, whose data keys have no folders, and that would take ${strangers.join(', ')} as well: give the files names that tell them apart, and name them without the folder`);
  return key;
}
