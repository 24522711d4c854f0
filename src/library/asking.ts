/** What clients of both ways have in common. */
import { ClientError } from './client-error.ts';
import type { ListOptions, Run, Target, WaitOptions } from './client-types.ts';

/** Exactly one of the two. */
export function targetIn({ workflow, template }: ListOptions): Target {
  if ((workflow === undefined) === (template === undefined)) throw new ClientError('Refused', 'exactly one of workflow and template says what to run');
  return workflow === undefined ? { kind: 'template', name: template ?? '' } : { kind: 'workflow', name: workflow };
}

/** Not called twice with the same. */
export function onlyChanges(call: WaitOptions['onChange']): (run: Run) => void {
  let last = '';
  return (run) => {
    const text = JSON.stringify(run);
    if (text !== last) call?.(run);
    last = text;
  };
}
