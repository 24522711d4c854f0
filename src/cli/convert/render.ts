/** A draft as text: the spec with its remarks as comments, and the ConfigMap around it. */
import { Document, isMap, isPair, isScalar, isSeq, stringify, type Node } from 'yaml';
import type { JsonObject } from '../../lib/json.ts';
import type { FieldPath } from '../../spec/field-path.ts';
import { apiVersion, kindLabel, specKey } from '../../spec/keys.ts';
import type { Draft, Remark } from './draft.ts';

/** The spec. Texts that older YAML tools take for something else are quoted. */
export function specText({ kind, spec, remarks }: Draft): string {
  const document = new Document({ apiVersion, kind, ...spec }, { compat: 'yaml-1.1', aliasDuplicateObjects: false });
  for (const remark of remarks) attach(document, remark);
  return document.toString({ lineWidth: 0, blockQuote: 'literal' });
}

/** The object that holds it. */
export function configMap(draft: Draft): JsonObject {
  const { name, namespace, kind, files, labels, annotations } = draft;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { [kindLabel]: kind.toLowerCase(), ...labels },
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    data: { [specKey]: specText(draft), ...files },
  };
}

/** The object as YAML, with texts as literal blocks: lint then shows places of problems in them. */
export function configMapText(object: JsonObject): string {
  return stringify(object, { blockQuote: 'literal', lineWidth: 0, compat: 'yaml-1.1' });
}

/** Every line behind a comment sign. */
export function commentedOut(text: string): string {
  return text.replace(/\n$/, '').split('\n').map((line) => `# ${line}`.trimEnd()).join('\n');
}

function attach(document: Document, { path, text }: Remark): void {
  const target = nodeBefore(document.contents, path) ?? document;
  const lines = wrapped(text).map((line) => ` ${line}`).join('\n');
  target.commentBefore = target.commentBefore ? `${target.commentBefore}\n${lines}` : lines;
}

/** The node before which a comment on the field stands: its key, or the member of a list; that of the nearest field around it. */
function nodeBefore(root: Node | null, path: FieldPath): Node | undefined {
  let node: unknown = root;
  let found: Node | undefined;
  for (const part of path) {
    const [next, before] = stepInto(node, part);
    if (next === undefined) break;
    node = next;
    found = before ?? found;
  }
  return found;
}

function stepInto(node: unknown, part: string | number): [next: unknown, before: Node | undefined] {
  if (isSeq(node) && typeof part === 'number') return [node.items[part], node.items[part] as Node | undefined];
  const pair = isMap(node) ? node.items.find(({ key }) => isScalar(key) && key.value === part) : undefined;
  return isPair(pair) && isScalar(pair.key) ? [pair.value, pair.key] : [undefined, undefined];
}

/** Lines that fit beside a spec. */
const widest = 100;

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < widest) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
