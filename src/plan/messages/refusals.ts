/**
 * What a refused create says: something of all messages (a quota, a missing right), or maybe of this one alone (a value of its
 * own that the API server or a policy does not take, a name that somebody has). One message that is refused pauses by
 * itself, and the queue goes on; refusals that hit several, and nobody else was started since, hold the queue.
 */
import { growingPause } from '../../lib/growing-pause.ts';
import type { MessageQueueSpec } from '../../spec/queue.ts';
import type { Stand } from '../draft.ts';
import type { MessageRefusal, Refusal } from '../refusal.ts';
import { shortestAfterRefusal } from '../wait.ts';
import { refusedStand } from '../wait-stand.ts';
import type { SettleMessage } from './action.ts';
import type { Next } from './decision.ts';
import type { LeaseInHand, MessagesView } from './observed.ts';
import type { MessageRound } from './round.ts';
import { invalid } from './start-message.ts';

/** So many times, where the breaker that would say how often is off. */
const usualBound = 5;
/** Messages in a pause of their own that are held beside all others, at least. */
const fewestSpared = 10;

type Round = Pick<MessageRound, 'spec' | 'view'>;

/** Milliseconds after so many refusals in a row. */
export function pauseAfterRefusal({ spec: { perMessage, breaker } }: Pick<MessageRound, 'spec'>, count: number): number {
  const base = Math.max(perMessage.waitAfter.refused, shortestAfterRefusal);
  return growingPause(count, base, Math.max(base, breaker.probeEvery));
}

/** The newest first. Of messages that are still in hand: what became of others says nothing any more. An edited text starts afresh. */
export function refusalsInHand({ view, spec }: Round): readonly MessageRefusal[] {
  const inHand = new Set(view.leases.map(({ id }) => id));
  const found = [...view.refusals].flatMap(([id, refusal]) => (inHand.has(id) && refusal.hash === spec.hash ? [refusal] : []));
  return found.sort((left, right) => right.at - left.at);
}

/** The newest that keeps the whole queue from starting Jobs; undefined: none does. */
export function holdingRefusal(round: Round): MessageRefusal | undefined {
  const all = refusalsInHand(round).filter(({ tooLarge }) => !tooLarge);
  const unconfirmed = all.filter((refusal) => isOwn(refusal) && (refusal.confirmed ?? 0) === 0);
  // A message of a batch is known to be refused alone only once it was tried alone.
  const several = unconfirmed.length > 1 || round.spec.batch !== undefined;
  return all.find((refusal) => !isOwn(refusal) || (several && unconfirmed.includes(refusal)));
}

/** It may be the fault of the message alone. */
function isOwn({ kind }: Refusal): boolean {
  return kind !== 'quota' && kind !== 'forbidden';
}

function ownRefusal({ view, spec }: Round, id: string): MessageRefusal | undefined {
  const refusal = view.refusals.get(id);
  return refusal?.hash === spec.hash && isOwn(refusal) ? refusal : undefined;
}

/** Whether it was refused for what may be its own fault. */
export function isSuspect(round: Round, id: string): boolean {
  return ownRefusal(round, id) !== undefined;
}

/** Until when nothing is started for this message, for what may be its own fault; milliseconds since 1970, 0: it need not wait. */
export function ownPauseUntil(round: Round, id: string): number {
  const refusal = round.spec.batch ? undefined : ownRefusal(round, id);
  return !refusal || refusal.tooLarge || isHopeless(round.spec, refusal) ? 0 : refusal.at + pauseAfterRefusal(round, refusal.count);
}

/** So many messages in a pause of their own take no place: they are held beside what `concurrency.max` leaves. */
export function mostSpared({ concurrency }: Pick<MessageQueueSpec, 'concurrency'>): number {
  return Math.max(concurrency.max, fewestSpared);
}

/** Others were started after each of so many refusals: nothing is wrong but the message. */
function isHopeless({ breaker, batch }: MessageQueueSpec, { confirmed = 0 }: MessageRefusal): boolean {
  return !batch && confirmed >= (breaker.notStarted ?? usualBound);
}

/** What becomes of a message that alone is refused, again and again; undefined: it may be tried. */
export function refusedForGood(round: MessageRound, lease: LeaseInHand, { attempt }: Next): SettleMessage | undefined {
  const refusal = ownRefusal(round, lease.id);
  if (!refusal || !isHopeless(round.spec, refusal)) return undefined;
  const what = round.spec.run ? 'run' : 'Job';
  const message = `its ${what} was refused ${refusal.count} times, and others were started meanwhile: ${refusal.message}`;
  return invalid(round, lease, { reason: refusedStand(refusal).reason, message, job: undefined, attempt });
}

/** What the queue stands at while nothing runs, and all that is in hand is in a pause of its own. */
export function pausedStand(round: Round): Stand | undefined {
  const [newest] = refusalsInHand(round);
  return newest && { state: 'Waiting', reason: refusedStand(newest).reason, message: `a message is tried again later, and others as they come: ${newest.message}` };
}

/** What is wrong may be the message: then another one is the probe. */
export function refusalsOf({ view, spec }: { readonly view: MessagesView; readonly spec: MessageQueueSpec }, id: string): number {
  const refusal = view.refusals.get(id);
  return refusal?.hash === spec.hash ? refusal.count : 0;
}
