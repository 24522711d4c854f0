/** Lists in pages. A page ends at an entry, and the next begins after it, whatever came or went meanwhile. */
import { isObject } from '../../../lib/json.ts';
import { ApiProblem } from './problem.ts';

/** What entries are sorted by: the first, then the second. */
export type PlaceInList = readonly [number | string, string];

export interface PageQuery {
  readonly limit?: number;
  readonly continue?: string;
}

/** `sorted`: in ascending order of `place`. */
export function page<Item>(sorted: readonly Item[], place: (item: Item) => PlaceInList, { limit = 100, continue: token }: PageQuery): { readonly items: readonly Item[]; readonly continue: string | null } {
  const after = token === undefined ? undefined : decode(token);
  const left = after ? sorted.filter((item) => isAfter(place(item), after)) : sorted;
  const items = left.slice(0, limit);
  const last = items.at(-1);
  return { items, continue: last !== undefined && left.length > limit ? encode(place(last)) : null };
}

function isAfter([first, second]: PlaceInList, [afterFirst, afterSecond]: PlaceInList): boolean {
  return first === afterFirst ? second > afterSecond : first > afterFirst;
}

function encode(place: PlaceInList): string {
  return Buffer.from(JSON.stringify({ after: place })).toString('base64url');
}

function decode(token: string): PlaceInList {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    const after = isObject(value) ? value['after'] : undefined;
    const [first, second] = Array.isArray(after) ? after : [];
    if ((typeof first === 'number' || typeof first === 'string') && typeof second === 'string') return [first, second];
  } catch {
    // Said below.
  }
  const detail = '"continue" must be what an earlier answer had as `continue`';
  throw new ApiProblem(400, 'InvalidRequest', detail, { errors: [{ parameter: 'continue', detail }] });
}
