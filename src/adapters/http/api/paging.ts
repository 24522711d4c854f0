/** Lists in pages. A page ends at an entry, and the next begins after it, whatever came or went meanwhile. */

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

/** Whatever has this form is a place, be it one that nobody was told. */
function encode([first, second]: PlaceInList): string {
  return `${first}~${Buffer.from(second).toString('base64url')}`;
}

function decode(token: string): PlaceInList {
  const at = token.indexOf('~');
  const first = token.slice(0, at);
  return [/^-?\d+$/.test(first) ? Number(first) : first, Buffer.from(token.slice(at + 1), 'base64url').toString('utf8')];
}
