/**
 * The part of a Queue's round that is about messages: those in hand get their Jobs, those whose Jobs have ended are settled.
 * Settling goes on whatever has become of the spec, by the notes on the Jobs (docs/adr/0015-owning-a-message.md).
 */
import { sourceText, type QueueSource } from '../../spec/queue-source.ts';
import type { MessageQueueSpec } from '../../spec/queue.ts';
import type { Draft, Stand } from '../draft.ts';
import type { PlanEnvironment } from '../environment.ts';
import { isLive } from '../job-state.ts';
import { unlimited } from '../limits/room.ts';
import type { Claim, Observed, ObservedJob, Reservation } from '../observed.ts';
import { refOf } from '../upkeep.ts';
import { beginBatches, openBatches, planOpenBatches, type Adoption, type Begun } from './batches/plan-batches.ts';
import { isBatchJob } from './batches/items.ts';
import { decide } from './decide.ts';
import type { SettleMessage, StartMessage, StartRun } from './action.ts';
import type { Decision, Next } from './decision.ts';
import { gateOf, type Gate } from './gate.ts';
import { withRuleOfJobs } from './id-rule.ts';
import { TakenNames } from './names.ts';
import { freePlaces, idleOf, placesOf, type InHand, type Places } from './places.ts';
import { isSuspect, mostSpared, ownPauseUntil, pausedStand, refusalsOf, refusedForGood } from './refusals.ts';
import { planReplacement } from './replace.ts';
import type { LeaseInHand } from './observed.ts';
import type { MessageRound } from './round.ts';
import { withRuns } from './runs/run-round.ts';
import { runViews } from './runs/run-view.ts';
import { startRunFor } from './runs/start-run.ts';
import { contentOfJob, startMessage } from './start-message.ts';
import { isMessageJob, messagesOf, noMessages, type MessageView } from './view.ts';

/** How soon it is looked again whether the Jobs of a run that somebody deleted are gone: nothing else tells of them. */
const lingeringPause = 2_000;

/** Names that are looked up in one round, at most. */
const mostLookUps = 8;

export interface MessagesInput {
  readonly observed: Observed;
  readonly environment: PlanEnvironment;
  readonly now: number;
  /** Who wants messages; undefined: nobody does now. */
  readonly wanted: { readonly spec: MessageQueueSpec; readonly winner: Claim } | undefined;
}

interface Decided {
  readonly message: MessageView;
  readonly decision: Decision;
}
type Start = Extract<Decision, { kind: 'start' }>;

/** Whether a round of this queue has to do with messages at all. */
export function hasMessages({ jobs, messages }: Observed): boolean {
  return (messages?.leases.length ?? 0) + (messages?.runs?.length ?? 0) > 0 || jobs.some((job) => isMessageJob(job) || isBatchJob(job));
}

/** What the queue stands at; undefined where nobody wants messages. */
export function planMessages(draft: Draft, input: MessagesInput): Stand | undefined {
  const { observed, environment, now } = input;
  const wanted = input.wanted && { ...input.wanted, spec: withRuleOfJobs(input.wanted.spec, [...observed.jobs, ...runViews(observed.messages ?? noMessages)]) };
  const view = observed.messages ?? noMessages;
  const names = new TakenNames(observed, wanted && { key: observed.key, spec: wanted.spec, environment });
  const pauses = wanted && { hash: wanted.spec.hash, waitAfter: wanted.spec.perMessage.waitAfter, breaker: wanted.spec.breaker };
  const context = { view, now, pauses, inTheWay: (id: string, serial: number) => (view.lingering?.has(id) === true ? 'pods' : names.inTheWay(id, serial)) };
  const all = messagesOf(observed, view).map((message): Decided => ({ message, decision: decide(message, context) }));
  const round = wanted && { observed, environment, now, view, ...wanted };
  planSettling(draft, all, round);
  if (view.lingering) draft.wake(now + lingeringPause);
  const adoptions = planOpenBatches(draft, observed, { view, now });
  const demands = new Demands(all, adoptions, wanted?.spec.observe === false ? wanted.spec.source : undefined);
  const stand = round && planStarts(draft, withRuns(round), { all, names, demands });
  draft.leases.push(...demands.list());
  if (!wanted) return undefined;
  planLookUps(draft, names.doubted(all.map(({ message }) => message), view));
  return stand;
}

function planLookUps(draft: Draft, doubted: readonly Reservation[]): void {
  for (const { jobName } of doubted.slice(0, mostLookUps)) {
    draft.act({ kind: 'resolve', reason: 'AnswerUnknown', because: `the create of Job "${jobName}" got no clean answer`, jobName });
  }
}

/** All that needs no place: it goes on while nothing is started. */
function planSettling(draft: Draft, all: readonly Decided[], round: MessageRound | undefined): void {
  for (const { message, decision } of all) {
    if (decision.kind === 'settle') draft.messages.push(decision.action);
    if (decision.kind === 'wait' || decision.kind === 'adopt') draft.wake(decision.until);
    if (decision.kind === 'start') planReturn(draft, message, { start: decision, round });
    if (decision.kind !== 'post' || !round || !isMine(message, round)) continue;
    const { job, lease } = decision;
    const payload = contentOfJob(round, lease, job);
    if (payload) draft.messages.push({ kind: 'postPayload', reason: 'PayloadPosted', because: `whether Job "${job.name}" has the content of its message is not known`, source: job.message.note.source, id: message.id, job: refOf(job), payload });
  }
}

/** Of no use here: another queue is wanted now, or none, or it came without its content. */
function planReturn(draft: Draft, message: MessageView, { start: { lease }, round }: { readonly start: Start; readonly round: MessageRound | undefined }): void {
  if (canStart(message, lease, round)) return;
  const mine = round !== undefined && isMine(message, round);
  const source = mine ? round.spec.source : message.jobs[0]?.message.note.source;
  // What nobody demands any more is given back without a word.
  if (!source) return;
  const because = mine ? 'the content of the message must be delivered again' : 'nothing is started for messages of this queue any more';
  draft.messages.push({ kind: 'settle', reason: 'MessageReleased', because, source, id: message.id, job: undefined, token: lease.token, receipt: lease.receipt, how: { kind: 'release' } });
}

function isMine({ source }: MessageView, { spec }: MessageRound): boolean {
  return source === sourceText(spec.source);
}

function canStart(message: MessageView, lease: Start['lease'], round: MessageRound | undefined): boolean {
  return round !== undefined && isMine(message, round) && (lease.message !== undefined || lease.problem !== undefined);
}

interface Parts {
  readonly all: readonly Decided[];
  readonly names: TakenNames;
  readonly demands: Demands;
}

function planStarts(draft: Draft, round: MessageRound, { all, names, demands }: Parts): Stand {
  const { observed, view, now, spec } = round;
  const mine = all.filter(({ message }) => isMine(message, round));
  const creating = mine.flatMap(({ message, decision }) => (decision.kind === 'wait' && decision.for === 'create' ? [message] : []));
  const starts = mine.flatMap(({ message, decision }) => (decision.kind === 'start' && canStart(message, decision.lease, round) ? [withPause(decision, round)] : []));
  const withPods = mine.filter(({ decision }) => decision.kind === 'wait' && decision.for === 'pods').length;
  // A name may stand for many messages.
  const inFlight = names.inFlight(spec.batch ? [] : creating, view);
  const gate = gateOf(draft, round, inFlight);
  const places = placesOf(round, new Set(view.leases.map(({ id }) => id)), inFlight);
  draft.wake(places.pressure.until);
  const held = new Set(openBatches(observed.jobs).flatMap(({ batch: { notes } }) => notes.map(({ id }) => id)));
  const due = starts.filter(({ notBefore, lease: { id } }) => notBefore <= now && !held.has(id));
  for (const { notBefore } of starts) draft.wake(notBefore);
  const bound = gate.kind === 'open' ? places.starts : gate.kind === 'probe' ? Math.min(1, places.starts) : 0;
  const probe = gate.kind === 'probe';
  const begun = (spec.batch ? beginBatches : begin)(draft, round, { due: probe ? byRefusals(due, round) : due, bound, probe });
  planReplacement(draft, round);
  // Each waits for itself, and keeps no place from others.
  const spared = Math.min(starts.filter(({ lease: { id } }) => ownPauseUntil(round, id) > now).length, mostSpared(spec));
  const waiting = starts.length - begun.invalid - begun.started - spared + withPods;
  const idle = mine.reduce((sum, { message }) => sum + idleOf(message, view), 0);
  const free = freeOf(round, { gate, places, begun, inHand: { waiting, suspect: starts.filter(({ lease: { id } }) => isSuspect(round, id)).length - spared, idle } });
  if (!spec.observe) demands.of(spec.source).free = free;
  planWants(draft, { gate, places, left: begun.left, free });
  return standOf(round, { gate, places, left: begun.left, spared });
}

function withPause(start: Start, round: MessageRound): Start {
  return { ...start, notBefore: Math.max(start.notBefore, ownPauseUntil(round, start.lease.id)) };
}

/** The oldest first, as many as there is room for; those that are invalid take none. */
function begin(draft: Draft, round: MessageRound, { due, bound }: { readonly due: readonly Start[]; readonly bound: number }): Begun {
  let started = 0;
  let invalid = 0;
  for (const { lease, next } of due) {
    if (started >= bound) break;
    const action = refusedForGood(round, lease, next) ?? startOf(round, lease, next);
    draft.messages.push(action);
    if (action.kind === 'settle') invalid += 1;
    else started += 1;
  }
  return { jobs: started, started, invalid, left: due.length - started - invalid };
}

/** Its Job or its run; or what becomes of an invalid message. Where messages start runs the gate is open only with something to run. */
function startOf(round: MessageRound, lease: LeaseInHand, next: Next): StartMessage | StartRun | SettleMessage {
  const { spec: { run }, runs } = round;
  return run && runs && 'spec' in runs ? startRunFor(round, { run, target: runs.spec }, { lease, next }) : startMessage(round, lease, next);
}

/** What is wrong may be the message: then another one is the probe. */
function byRefusals(due: readonly Start[], round: MessageRound): readonly Start[] {
  return [...due].sort((left, right) => refusalsOf(round, left.lease.id) - refusalsOf(round, right.lease.id));
}

function freeOf(round: MessageRound, { gate, places, begun, inHand }: { readonly gate: Gate; readonly places: Places; readonly begun: Begun; readonly inHand: InHand }): number {
  if (gate.kind === 'held') return 0;
  const free = freePlaces(round, places, { ...inHand, begun: begun.jobs });
  // The probe is what is in hand, or else the next that comes: one that is refused for itself must not keep all others out.
  return gate.kind === 'probe' ? Math.min(free, inHand.waiting + begun.started > inHand.suspect ? 0 : 1) : free;
}

interface Outlook {
  readonly gate: Gate;
  readonly places: Places;
  /** Jobs for messages in hand that could start now, and do not. */
  readonly left: number;
  /** Messages in a pause of their own, as many as take no place. */
  readonly spared: number;
}

/** So that it is this queue's turn when the limits of the instance leave something. */
function planWants(draft: Draft, { gate, places, left, free }: Omit<Outlook, 'spared'> & { readonly free: number }): void {
  if (gate.kind === 'held' && gate.wants !== true) return;
  const wanted = gate.kind === 'open' ? places.short : 1;
  if (places.short === 0 && gate.kind !== 'held') return;
  if (left > 0) draft.want(Math.max(1, Math.min(left, wanted)));
  else if (free === 0) draft.want(1);
}

function standOf(round: MessageRound, { gate, places, left, spared }: Outlook): Stand {
  const { observed, spec, view } = round;
  if (gate.kind !== 'open') return gate.stand;
  const short = shortOf(observed, places, left);
  if (short) return short;
  const running = spec.run ? runsStand(observed.jobs) : jobsStand(observed.jobs) ?? runsStand(runViews(view));
  if (running) return running;
  if (places.taken > 0) return { state: 'Starting', reason: 'MessageReceived', message: `${spec.run ? 'runs' : 'Jobs'} are being created for messages` };
  return idleStand(round, spared);
}

function jobsStand(jobs: readonly ObservedJob[]): Stand | undefined {
  const live = jobs.filter(isLive).length;
  return live === 0 ? undefined : { state: 'Running', reason: 'MessagesRunning', message: `${live} ${live === 1 ? 'Job is' : 'Jobs are'} live` };
}

function runsStand(runs: readonly ObservedJob[]): Stand | undefined {
  const live = runs.filter(isLive).length;
  return live === 0 ? undefined : { state: 'Running', reason: 'MessagesRunning', message: `${live} ${live === 1 ? 'run is' : 'runs are'} active` };
}

/** Kept from starting more by the limits of the instance, or by the cluster. */
function shortOf({ room = unlimited }: Observed, { short, pressure }: Places, left: number): Stand | undefined {
  return left > 0 && short > 0 ? room.shortage : pressure.stand;
}

function idleStand(round: MessageRound, spared: number): Stand {
  return (spared > 0 ? pausedStand(round) : undefined) ?? { state: 'Idle', reason: 'QueueListening', message: 'waits for messages' };
}

interface Demand {
  readonly source: QueueSource;
  free: number;
  readonly adopt: { readonly id: string; readonly receipt: Readonly<Record<string, string>> }[];
}

/** One for each queue of which something is wanted, or whose messages have Jobs that are not settled. */
class Demands {
  readonly #bySource = new Map<string, Demand>();

  /** `wanted`: as the spec has it now, also where Jobs were made when it was to be declared otherwise. */
  constructor(all: readonly Decided[], adoptions: readonly Adoption[], wanted: QueueSource | undefined) {
    if (wanted) this.of(wanted);
    for (const { message: { jobs } } of all) for (const { message } of jobs) if (!message.settled) this.of(message.note.source);
    for (const { id, source, receipt } of adoptions) this.of(source).adopt.push({ id, receipt });
    for (const { message, decision } of all) {
      const [newest] = message.jobs;
      if (decision.kind === 'adopt' && newest) this.of(newest.message.note.source).adopt.push({ id: message.id, receipt: decision.receipt });
    }
  }

  of(source: QueueSource): Demand {
    const text = sourceText(source);
    const demand = this.#bySource.get(text) ?? { source, free: 0, adopt: [] };
    this.#bySource.set(text, demand);
    return demand;
  }

  list(): readonly Demand[] {
    return [...this.#bySource.values()];
  }
}
