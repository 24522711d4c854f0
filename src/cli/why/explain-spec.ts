/** What all kinds of specs have in common: who defines the name, and whose word counts. */
import type { Stand } from '../../plan/draft.ts';
import type { Claim } from '../../plan/observed.ts';
import type { Reason } from '../../plan/reason.ts';
import { sourceName, winningClaim } from '../../plan/winner.ts';
import { countsAsWord, isByConfiguration, isControllers, type ControllerWord } from '../live/controller-word.ts';
import type { LiveSpec } from '../live/live-cluster.ts';
import { specTitle } from '../live/spec-key.ts';
import { link, type Link } from './link.ts';
import { unblockOf, type View } from './view.ts';

/** All that defines one logical name. */
export interface Definition {
  readonly specs: readonly LiveSpec[];
  readonly claims: readonly Claim[];
  /** The one that counts, and its place among them. */
  readonly winner: LiveSpec | undefined;
  readonly index: number;
}

export function definitionOf({ live }: View, key: LiveSpec['key']): Definition {
  const specs = live.specs.filter((spec) => spec.key.kind === key.kind && spec.key.name === key.name);
  const claims = specs.map(({ claim }) => claim);
  const index = winningClaim(claims)?.index ?? -1;
  return { specs, claims, winner: specs[index], index };
}

/** What the spec stands at, and who says so. */
export interface Told extends Pick<Link, 'state' | 'message' | 'source'> {
  readonly reason: string;
}

/**
 * The plan's word where it can know, else the controller's, as old as that is. What only the controller can know is asked
 * of nobody else: without its word about this very text it stays unknown.
 */
export function toldOf(stand: Stand, spec: LiveSpec): Told {
  const { state, reason, message } = stand;
  const word = currentWord(spec);
  if (word && isByConfiguration(word.reason) && state !== 'Rejected') return fromController(word);
  if (!isControllers(reason)) return { state, reason, message, source: 'live' };
  if (!isCurrent(spec)) return { state: 'Unknown', reason: 'SpecChecking', message: nobody(spec.word !== undefined), source: 'live' };
  // What it wrote before the cluster came to stand as it was read now is over.
  return word && countsAsWord(word.reason) ? fromController(word) : { state, reason, message, source: 'live' };
}

function isCurrent({ word, claim }: LiveSpec): boolean {
  return word?.hash !== undefined && word.hash === claim.parsed.hash;
}

/** What it wrote about this very text, with a reason that is known here. */
function currentWord(spec: LiveSpec): (ControllerWord & { readonly reason: Reason }) | undefined {
  const { word } = spec;
  return word?.reason !== undefined && isCurrent(spec) ? { ...word, reason: word.reason } : undefined;
}

function fromController({ state, reason, message, at }: ControllerWord & { readonly reason: Reason }): Told {
  return { state, reason, message, source: { controller: at } };
}

function nobody(hasWord: boolean): string {
  return hasWord ? 'no controller has said anything about the text as it is now' : 'no controller looks after this namespace and instance, or it writes no status';
}

/** Others that define the same name and do nothing. */
export function losersOf(view: View, { specs, winner, index }: Definition): readonly Link[] {
  if (!winner) return [];
  return specs.flatMap((spec, place) => {
    const { source } = spec.claim;
    if (place === index || (source.kind === 'configMap' && source.deleting)) return [];
    const message = `"${sourceName(winner.claim)}" also defines ${specTitle(spec.kind, spec.name)} and is newer`;
    return [link({ subject: `configmap/${sourceName(spec.claim)}`, state: 'Superseded', reason: 'SpecSuperseded', message, unblock: unblockOf(view, spec, 'SpecSuperseded') })];
  });
}

/** Nothing defines the name any more, but something of it is still there. */
export function undefinedSpec(view: View, { kind, name }: Pick<LiveSpec, 'kind' | 'name'>, because: readonly Link[]): Link {
  return link({ subject: specTitle(kind, name), state: 'Deleted', reason: 'SpecDeleted', message: 'no ConfigMap defines it', unblock: unblockOf(view, { kind, name }, 'SpecDeleted'), because });
}
