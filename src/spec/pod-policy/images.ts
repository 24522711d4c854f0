/** Which image a text names, as container runtimes read it. */
import type { Names } from './policy.ts';

const defaultRegistry = 'docker.io';
const host = /^(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])(?:\.(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9]))*(?::\d{1,5})?$/;
const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tag = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const digest = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/;

/**
 * Registry and path, without tag and digest: `docker.io/library/alpine` for `alpine:3`. undefined where a text is no name of
 * an image, or could be the id of one that is on the node already.
 */
export function imageName(text: string): string | undefined {
  const [named = '', pinned, ...rest] = text.split('@');
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const [bare, tagged] = colon < 0 ? [named, undefined] : [named.slice(0, colon), named.slice(colon + 1)];
  const isPinned = rest.length === 0 && (pinned === undefined || digest.test(pinned)) && (tagged === undefined || tag.test(tagged));
  const isId = bare === 'sha256' || /^[0-9a-f]{64}$/.test(bare);
  const name = fullName(bare);
  return isPinned && !isId && isName(name) ? name : undefined;
}

function isName(name: string): boolean {
  const [registry = '', ...path] = name.split('/');
  return host.test(registry) && path.length > 0 && path.every((part) => component.test(part));
}

/** The first part is a registry when it has a dot, a port or a capital letter, or is localhost. */
function fullName(name: string): string {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasRegistry = /[.:A-Z]/.test(first) || first === 'localhost';
  const [registry, path] = hasRegistry ? [knownRegistry(first), name.slice(slash + 1)] : [defaultRegistry, name];
  return `${registry}/${registry === defaultRegistry && !path.includes('/') ? `library/${path}` : path}`;
}

/** Whether the image stands at or below one of the prefixes: `ghcr.io/acme` has `ghcr.io/acme/app`, not `ghcr.io/acme-evil/app`. */
export function isUnder(name: string, prefixes: NonNullable<Names>): boolean {
  return prefixes.map(prefixName).some((prefix) => name === prefix || name.startsWith(`${prefix}/`));
}

/** Of a registry alone nothing is filled in. */
function prefixName(prefix: string): string {
  const [registry = '', ...path] = prefix.replace(/\/+$/, '').split('/');
  return [knownRegistry(registry), ...path].join('/');
}

function knownRegistry(registry: string): string {
  const lower = registry.toLowerCase();
  return lower === 'index.docker.io' ? defaultRegistry : lower;
}
