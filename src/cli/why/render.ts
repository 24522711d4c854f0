/** A chain of reasons as text: what it is about, then indented below it what stands behind that. */
import { isoTime } from '../../plan/iso-time.ts';
import { age, elapsed } from '../runs/elapsed.ts';
import { stateCell } from '../runs/phases.ts';
import { oneLine, painted, type Screen } from '../runs/table.ts';
import type { Link } from './link.ts';

export interface RenderOptions {
  readonly screen: Screen;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Messages of the cluster may have pages. */
const longest = 600;

/** Lines for people. What a link says that the one above it said already is not said again. */
export function linkLines(link: Link, options: RenderOptions, indent = ''): readonly string[] {
  const inner = `${indent}  `;
  return [
    `${indent}${headOf(link, options)}`,
    ...detailsOf(link, options).map((line) => `${inner}${line}`),
    ...link.because.flatMap((child) => linkLines(child.unblock === link.unblock ? { ...child, unblock: '' } : child, options, inner)),
  ];
}

function headOf({ subject, state, reason }: Link, { screen }: RenderOptions): string {
  if (state === '') return subject;
  const word = painted(stateCell(state), screen.colours);
  return `${subject} is ${word}${reason === '' || reason === state ? '' : ` (${reason})`}`;
}

function detailsOf({ message, since, until, unblock, source }: Link, { now }: RenderOptions): string[] {
  const text = oneLine(message);
  return [
    ...(text === '' ? [] : [text.length > longest ? `${text.slice(0, longest - 1)}…` : text]),
    ...(source === 'live' ? [] : [`told by:  the controller${source.controller === undefined ? '' : `, ${age(now - source.controller)} ago`}`]),
    ...(since === undefined ? [] : [`since:    ${isoTime(since)} (${age(now - since)})`]),
    ...(until === undefined ? [] : [`until:    ${isoTime(until)}${until > now ? ` (in ${elapsed(until - now)})` : ' (now)'}`]),
    ...(unblock === '' ? [] : [`to do:    ${unblock}`]),
  ];
}

/** The same for programs: times as RFC 3339, and nothing that is absent. */
export function linkDocument({ subject, state, reason, message, since, until, unblock, source, because }: Link): object {
  return {
    subject,
    state,
    ...(reason === '' ? {} : { reason }),
    ...(message === '' ? {} : { message }),
    ...(since === undefined ? {} : { since: isoTime(since) }),
    ...(until === undefined ? {} : { until: isoTime(until) }),
    ...(unblock === '' ? {} : { unblock }),
    source: source === 'live' ? 'live' : 'controller',
    ...(source === 'live' || source.controller === undefined ? {} : { writtenAt: isoTime(source.controller) }),
    ...(because.length === 0 ? {} : { because: because.map(linkDocument) }),
  };
}
