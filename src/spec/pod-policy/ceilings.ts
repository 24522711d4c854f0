/** Whether containers and pods stay below the operator's ceilings. What has no limit has no end, so it is above. */
import { isObject, objectAt, type Json, type JsonObject } from '../../lib/json.ts';
import { parseNano } from '../../lib/quantity.ts';
import { shown } from '../../lib/show.ts';
import type { PolicyFinding } from './finding.ts';
import type { Ceiling } from './policy.ts';
import { no, type Judging } from './rules.ts';
import type { Part } from './restricted.ts';

type Container = Part & { readonly init: boolean };

/** In billionths of a unit; `none`: no limit; `open`: not known yet. */
type Amount = bigint | 'none' | 'open' | 'unreadable';

/** Of each container by itself, then of all that run at the same time. */
export function ceilingFindings(pod: Part, containers: readonly Container[], judging: Judging): PolicyFinding[] {
  const { maxPerContainer, maxPerPod } = judging.policy;
  const shared = resourcesOf(pod.value);
  return [
    ...entries(maxPerContainer).flatMap(([resource, most]) => containers.flatMap((container) => containerFindings(container, { resource, most, shared, judging }))),
    ...entries(maxPerPod).flatMap(([resource, most]) => podFindings(pod, containers, { resource, most, shared, judging })),
  ];
}

interface Ask {
  readonly resource: string;
  readonly most: string;
  /** Resources of the pod as a whole, which bound containers that have no limit of their own. */
  readonly shared: Json | undefined;
  readonly judging: Judging;
}

function containerFindings({ path, value }: Part, ask: Ask): PolicyFinding[] {
  const own = resourcesOf(value);
  const limit = amount(own, 'limits', ask);
  const used = limit === 'none' ? amount(ask.shared, 'limits', ask) : limit;
  const request = amount(own, 'requests', ask);
  return [
    ...above(used, ask, { path: [...path, 'resources', 'limits', ask.resource], key: 'maxPerContainer', what: 'the container' }),
    ...(request === 'none' ? [] : above(request, ask, { path: [...path, 'resources', 'requests', ask.resource], key: 'maxPerContainer', what: 'the container' })),
  ];
}

function podFindings({ path }: Part, containers: readonly Container[], ask: Ask): PolicyFinding[] {
  const own = amount(ask.shared, 'limits', ask);
  const total = own === 'none' ? totalOf(containers.map(({ value, init }) => ({ init, sidecar: init && value['restartPolicy'] === 'Always', amount: amount(resourcesOf(value), 'limits', ask) }))) : own;
  return above(total, ask, { path: own === 'none' ? [...path, 'containers'] : [...path, 'resources', 'limits', ask.resource], key: 'maxPerPod', what: 'the pod' });
}

/** Sidecars run beside everything, other init containers one after the other, before the rest. */
function totalOf(parts: readonly { readonly init: boolean; readonly sidecar: boolean; readonly amount: Amount }[]): Amount {
  for (const word of ['unreadable', 'none', 'open'] as const) if (parts.some((part) => part.amount === word)) return word;
  const amountOf = (part: { readonly amount: Amount }): bigint => (typeof part.amount === 'bigint' ? part.amount : 0n);
  const sum = (some: typeof parts): bigint => some.reduce((total, part) => total + amountOf(part), 0n);
  const largest = parts.filter(({ init, sidecar }) => init && !sidecar).map(amountOf).reduce((most, one) => (one > most ? one : most), 0n);
  const regular = sum(parts.filter(({ init }) => !init));
  return sum(parts.filter(({ sidecar }) => sidecar)) + (largest > regular ? largest : regular);
}

function above(used: Amount, { resource, most }: Ask, { path, key, what }: { path: PolicyFinding['path']; key: string; what: string }): PolicyFinding[] {
  const hint = `set limits of ${resource} to at most ${most}${what === 'the pod' ? ' in all' : ''}`;
  if (used === 'open') return [];
  if (used === 'none') return isCountable(resource) ? [] : [no(path, key, `${what} has no limit for ${resource}`, hint)];
  if (used === 'unreadable') return [no(path, key, `the limit for ${resource} is no quantity`, hint)];
  const ceiling = parseNano(most);
  return ceiling !== undefined && used <= ceiling ? [] : [no(path, key, `${what} may use more ${resource} than ${shown(most)}`, hint)];
}

/** Devices and huge pages: who asks for none gets none. */
function isCountable(resource: string): boolean {
  return resource.includes('/') || resource.startsWith('hugepages-');
}

function resourcesOf(of: JsonObject): Json | undefined {
  return of['resources'] ?? undefined;
}

function amount(resources: Json | undefined, kind: 'limits' | 'requests', { resource, judging }: Ask): Amount {
  if (judging.isOpen(resources)) return 'open';
  const all = isObject(resources) ? resources[kind] : undefined;
  if (judging.isOpen(all)) return 'open';
  const found = objectAt(resources, kind)[resource] ?? undefined;
  if (found === undefined) return 'none';
  if (judging.isOpen(found)) return 'open';
  return (typeof found === 'string' || typeof found === 'number' ? parseNano(String(found)) : undefined) ?? 'unreadable';
}

function entries(ceiling: Ceiling | undefined): [string, string][] {
  return Object.entries(ceiling ?? {});
}
