/** What is waited for: `--for`. */
import { UserError } from '../exit-code.ts';

export type Goal =
  /** A run: it has succeeded. A workflow with onChange: its run of this revision has. Another spec: it is accepted. */
  | { readonly kind: 'succeeded' }
  /** The same, however the run ended. */
  | { readonly kind: 'finished' }
  /** Accepted, and nothing of it runs or waits to run. */
  | { readonly kind: 'idle' }
  /** A condition of the status of a spec. */
  | { readonly kind: 'condition'; readonly type: string; readonly status: string };

/** `succeeded`, `finished`, `idle`, `condition=Accepted`, `condition=LastRun=False`. Throws a UserError for anything else. */
export function readGoal(text: string): Goal {
  if (text === 'succeeded' || text === 'finished' || text === 'idle') return { kind: text };
  const [word, type = '', status = 'True'] = text.split('=');
  if (word !== 'condition' || type === '') throw new UserError(`--for is succeeded, finished, idle or condition=TYPE[=STATUS], not "${text}"`);
  return { kind: 'condition', type, status };
}
