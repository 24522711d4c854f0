/** The client's generated classes, read as data: attribute maps at run time, what is required and described from the .d.ts. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** One field as client-node's generated code has it. */
export interface Attribute {
  readonly baseName: string;
  readonly type: string;
  readonly format: string;
}

/** One generated class and what its declaration file adds. */
export interface KubernetesClass {
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly required: ReadonlySet<string>;
  readonly descriptions: ReadonlyMap<string, string>;
}

const models = path.join(path.dirname(fileURLToPath(import.meta.resolve('@kubernetes/client-node'))), 'gen/models');

/** Every class reachable from `rootClass`, sorted by name. */
export async function reachableClasses(rootClass: string): Promise<KubernetesClass[]> {
  const found = new Map<string, KubernetesClass>();
  const waiting = [rootClass];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    const read = await readClass(name);
    found.set(name, read);
    waiting.push(...read.attributes.map(({ type }) => classIn(type)).filter((type) => type !== undefined));
  }
  return [...found.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** The class that a type such as `Array<V1Volume>` names, or undefined for plain types. */
export function classIn(type: string): string | undefined {
  const inner = /^Array<(.+)>$/.exec(type)?.[1] ?? type;
  return /^(V\d|CoreV1|Core)\w+$/.test(inner) ? inner : undefined;
}

/** Kubernetes minor version of the client's API, such as `1.36`. */
export async function kubernetesVersion(): Promise<string> {
  const text = await readFile(path.join(models, 'V1JobSpec.d.ts'), 'utf8');
  const version = /OpenAPI spec version: release-(\d+\.\d+)/.exec(text)?.[1];
  if (version === undefined) throw new Error('V1JobSpec.d.ts names no Kubernetes version');
  return version;
}

async function readClass(name: string): Promise<KubernetesClass> {
  const exported = (await import(path.join(models, `${name}.js`))) as Record<string, { getAttributeTypeMap(): Attribute[] }>;
  const attributes = exported[name]?.getAttributeTypeMap();
  if (!attributes) throw new Error(`${name} has no attribute map`);
  const declaration = await readFile(path.join(models, `${name}.d.ts`), 'utf8');
  const required = new Set<string>();
  const descriptions = new Map<string, string>();
  for (const match of declaration.matchAll(/(?:\/\*\*\s*\n((?:\s*\*(?!\/).*\n)+)\s*\*\/\s*\n)?\s*'([\w$]+)'(\??): /g)) {
    const [, comment, field, optional] = match;
    if (field === undefined) continue;
    if (optional === '') required.add(field);
    if (comment !== undefined) descriptions.set(field, comment.replace(/^\s*\* ?/gm, '').replace(/\\(['"])/g, '$1').replace(/\s+/g, ' ').trim());
  }
  return { name, attributes, required, descriptions };
}
