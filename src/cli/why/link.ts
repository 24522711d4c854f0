/** A chain of reasons: something stands still, or goes on, because of something else. */

/** One link. Times are milliseconds since 1970. */
export interface Link {
  /** `queue/thumbnails`, `run/etl-x3kq`, `step/load`, `job/…`, `pod/…`. */
  readonly subject: string;
  /** `Waiting`, `Running`, … */
  readonly state: string;
  /** Of docs/reasons.md, or a word of Kubernetes; empty where there is none. */
  readonly reason: string;
  readonly message: string;
  readonly since: number | undefined;
  /** When it changes, or is given up, by itself; undefined: not by itself, or nobody knows. */
  readonly until: number | undefined;
  /** What would change it: commands, fields, or that it goes on by itself. */
  readonly unblock: string;
  /** `controller`: written by it at `at`, where that is known; everything else was read just now. */
  readonly source: 'live' | { readonly controller: number | undefined };
  readonly because: readonly Link[];
}

type Given = Pick<Link, 'subject' | 'state' | 'reason' | 'message'> & Partial<Link>;

/** A link that was read just now, unless it says otherwise. */
export function link(given: Given): Link {
  return { since: undefined, until: undefined, unblock: '', source: 'live', because: [], ...given };
}

/** More of a kind than anybody reads. */
const mostLinks = 5;

/** The first few, and a link that tells of the others; `what` as in `3 more runs`. */
export function few(links: readonly Link[], what: string): readonly Link[] {
  return [...links.slice(0, mostLinks), ...others(links.length, what)];
}

/** The same of what has to be explained first, one after the other: nothing is read for those that are not shown. */
export async function explainFew<Subject>(subjects: readonly Subject[], what: string, explain: (subject: Subject) => Promise<Link>): Promise<readonly Link[]> {
  const links: Link[] = [];
  for (const subject of subjects.slice(0, mostLinks)) links.push(await explain(subject));
  return [...links, ...others(subjects.length, what)];
}

function others(all: number, what: string): readonly Link[] {
  return all <= mostLinks ? [] : [link({ subject: `… and ${all - mostLinks} more ${what}`, state: '', reason: '', message: '' })];
}
