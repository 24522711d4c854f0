/** What stands in a Lease: who holds it, for how long at a time, since when. Other electors (client-go's) can read it. */
import type { JsonObject } from '../../lib/json.ts';
import { numberAt, objectAt, stringAt } from '../../lib/json.ts';
import { apiVersionOf, leases } from './resources.ts';

export interface LeaseRecord {
  /** Empty when it was released. */
  readonly holder: string;
  /** Milliseconds for which others wait after the last renewal that they saw; undefined where it says nothing usable. */
  readonly duration: number | undefined;
  readonly acquireTime: string | undefined;
  readonly transitions: number;
  readonly resourceVersion: string;
  /** Changes with every renewal; only ever compared with itself. */
  readonly text: string;
}

export function readLease(raw: JsonObject): LeaseRecord {
  const spec = objectAt(raw, 'spec');
  const seconds = numberAt(spec, 'leaseDurationSeconds') ?? 0;
  return {
    holder: stringAt(spec, 'holderIdentity') ?? '',
    duration: seconds > 0 ? seconds * 1000 : undefined,
    acquireTime: stringAt(spec, 'acquireTime'),
    transitions: numberAt(spec, 'leaseTransitions') ?? 0,
    resourceVersion: stringAt(objectAt(raw, 'metadata'), 'resourceVersion') ?? '',
    text: JSON.stringify(spec),
  };
}

export interface Claimant {
  readonly identity: string;
  /** Milliseconds. */
  readonly leaseDuration: number;
}

/** The spec with which somebody takes or renews. A renewal keeps the time of acquisition; a new holder is a transition. */
export function claimedBy({ identity, leaseDuration }: Claimant, before: LeaseRecord | undefined, now: number): JsonObject {
  const renewal = before?.holder === identity;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseDuration / 1000),
    acquireTime: renewal ? (before.acquireTime ?? microTime(now)) : microTime(now),
    renewTime: microTime(now),
    leaseTransitions: before === undefined ? 0 : before.transitions + (renewal ? 0 : 1),
  };
}

/** As client-go releases: nobody holds it, and whoever looks only at times sees it expire within a second. */
export function released(now: number): JsonObject {
  return { holderIdentity: '', leaseDurationSeconds: 1, acquireTime: microTime(now), renewTime: microTime(now) };
}

export function newLease(name: string, spec: JsonObject): JsonObject {
  return { apiVersion: apiVersionOf(leases), kind: leases.kind, metadata: { name, labels: { 'app.kubernetes.io/name': 'job-chief' } }, spec };
}

/** MicroTime has exactly six digits; one with three is refused. */
export function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000Z');
}
