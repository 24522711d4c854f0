/** What somebody could do about a wait, in one sentence or command. */

/** What an answer is about. */
export interface AnswerFacts {
  readonly namespace: string;
  /** Kind and logical name of the spec, such as `queue` and `thumbnails`. */
  readonly kind: string;
  readonly name: string;
  /** The ConfigMap that defines it; undefined: none does. */
  readonly configMap: string | undefined;
  /** Name of the run's record, where it is about a run. */
  readonly run: string | undefined;
  readonly step: string | undefined;
  /** `template "a"`, where messages of the queue start runs of it; absent: they start Jobs. */
  readonly runs?: string | undefined;
  /** Job or pod that stands in the way. */
  readonly object: string | undefined;
}

/** One sentence or command. Empty: it goes on by itself, and there is nothing to do. */
export type Answer = (facts: AnswerFacts) => string;

/** Nobody has to do anything, and nobody wonders. */
export const nothing: Answer = () => '';
/** It goes on without anybody. */
export const byItself = (what: string): Answer => () => `nothing: ${what}`;

/** A command with the namespace that it needs. */
export function command(text: string, { namespace }: Pick<AnswerFacts, 'namespace'>): string {
  return `${text} -n ${namespace}`;
}

/** How to look at, or edit, what defines it. */
export function edit(what: string, { configMap, kind, name }: AnswerFacts): string {
  return `${what} in ${configMap === undefined ? `the text of ${kind} "${name}"` : `ConfigMap "${configMap}"`}`;
}
