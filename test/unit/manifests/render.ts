/** The manifests as objects: files as they lie there, and what kubectl makes of an overlay of them. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Record<string, string> };
  readonly [key: string]: unknown;
}
export interface Rule {
  readonly apiGroups: string[];
  readonly resources: string[];
  readonly verbs: string[];
}

export const manifests = fileURLToPath(new URL('../../../manifests', import.meta.url));

export function parseYaml(text: string): Manifest[] {
  return parseAllDocuments(text, { uniqueKeys: true }).map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return document.toJS() as Manifest;
  }).filter((value) => value as unknown !== null);
}

export function readManifest(path: string): Manifest[] {
  return parseYaml(readFileSync(join(manifests, path), 'utf8'));
}

export function files(folder = ''): string[] {
  return readdirSync(join(manifests, folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml')).map((name) => join(folder, name)).sort();
}

/** Runs `kubectl kustomize` on a folder of ours. */
export function build(folder: string): Manifest[] {
  return kustomize(join(manifests, folder));
}

/** The base with components, as a user's overlay has it. */
export function buildWith(...components: string[]): Manifest[] {
  const parent = realpathSync(mkdtempSync(join(tmpdir(), 'overlay-')));
  const overlay = join(parent, 'overlay');
  mkdirSync(overlay);
  try {
    const path = (name: string): string => relative(overlay, join(manifests, name));
    writeFileSync(join(overlay, 'kustomization.yaml'), JSON.stringify({ resources: [path('base')], components: components.map((name) => path(`components/${name}`)) }));
    return kustomize(overlay);
  } finally {
    rmSync(parent, { recursive: true });
  }
}

function kustomize(folder: string): Manifest[] {
  const { status, stdout, stderr, error } = spawnSync('kubectl', ['kustomize', '--load-restrictor', 'LoadRestrictionsNone', folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`kubectl kustomize failed: ${error?.message ?? stderr}`);
  return parseYaml(stdout);
}

export const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

export function find(all: readonly Manifest[], kind: string, name: string): Manifest {
  const found = all.find((one) => one.kind === kind && one.metadata.name === name);
  if (!found) throw new Error(`no ${kind} ${name}`);
  return found;
}

/** `group/resource verb`, sorted: what all Roles among these allow together. */
export function granted(all: readonly Manifest[]): string[] {
  const rules = all.filter(({ kind }) => kind === 'Role').flatMap((role) => role['rules'] as Rule[]);
  return [...new Set(rules.flatMap((rule) => rule.apiGroups.flatMap((group) => rule.resources.flatMap((resource) => rule.verbs.map((verb) => `${group}/${resource} ${verb}`)))))].sort();
}
