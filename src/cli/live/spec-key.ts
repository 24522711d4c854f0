/** What rounds of a spec are keyed by. */
import { labelValue } from '../../lib/label-value.ts';
import type { SpecKey } from '../../plan/observed.ts';

const kinds: readonly SpecKey['kind'][] = ['queue', 'workflow', 'template', 'request', 'limits'];
/** A Run asks for a run; what is keyed by `run` is the run itself. */
const requestKind = 'run';

/** `kind`: as the text or the label has it; `name`: the logical name. */
export function specKeyOf(kind: string, name: string): SpecKey {
  const word = kind.toLowerCase();
  return { kind: word === requestKind ? 'request' : (kinds.find((each) => each === word) ?? 'unknown'), name: labelValue(name) };
}

/** `queue/thumbnails`, as people name it on the command line. */
export function specTitle(kind: string, name: string): string {
  return `${kind.toLowerCase()}/${name}`;
}
