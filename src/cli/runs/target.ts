/** `workflow/etl`, `run/import`, `etl-x3kq5aolm2bd`: what somebody names on the command line. */
import { nearest } from '../../lib/nearest.ts';
import { UserError } from '../exit-code.ts';

export type TargetKind = 'queue' | 'workflow' | 'template' | 'run' | 'limits';

export interface Target {
  /** undefined: whatever has the name. */
  readonly kind: TargetKind | undefined;
  readonly name: string;
}

const kinds: readonly TargetKind[] = ['queue', 'workflow', 'template', 'run', 'limits'];

/** Singular or plural, as kubectl takes them. Throws a UserError for a kind that does not exist. */
export function readTarget(text: string): Target {
  const at = text.indexOf('/');
  if (at === -1) return { kind: undefined, name: text };
  const word = text.slice(0, at).toLowerCase();
  const name = text.slice(at + 1);
  const kind = kinds.find((one) => one === word || `${one}s` === word);
  if (kind === undefined) {
    const guess = nearest(word, kinds);
    throw new UserError(`there is no kind "${word}"; ${guess === undefined ? `there is ${kinds.join(', ')}` : `did you mean "${guess}/${name}"?`}`);
  }
  if (name === '') throw new UserError(`"${text}" names nothing: ${kind}/NAME`);
  return { kind, name };
}

export function targetText({ kind, name }: Target): string {
  return kind === undefined ? `"${name}"` : `${kind} "${name}"`;
}
