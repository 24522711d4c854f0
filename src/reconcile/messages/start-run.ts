/** The record of a run for a message in hand. Its name is the lock: asking twice is harmless. */
import type { StartRun } from '../../plan/messages/action.ts';
import type { Refusal } from '../../plan/refusal.ts';
import type { WriteResult } from '../ports.ts';
import type { MessageStepDeps, MessageTask, Next } from './message-task.ts';

/** Never without the lease: another process may have the message by now. */
export async function startRun(deps: MessageStepDeps, task: MessageTask<StartRun>): Promise<Next> {
  const { key, action: { name, request, parameters, note, token } } = task;
  const lease = deps.book.get(key, token);
  if (!deps.leadership.leading || !lease) return 'round';
  return after(deps, task, lease.since, await deps.runs.create({ name, request, parameters, data: undefined, owner: undefined, message: note }));
}

function after(deps: MessageStepDeps, task: MessageTask<StartRun>, leasedAt: number, result: WriteResult): Next {
  const { key, action, memory } = task;
  const { name, id } = action;
  switch (result.kind) {
    case 'done':
      memory.accepted(id, action.hash);
      memory.wrote(id, result.resourceVersion, deps.runs);
      deps.told(key, { action, step: 'created', result: 'done', message: action.because, job: { name, uid: result.uid }, took: deps.clock.now() - leasedAt });
      // Its event brings the next round. It may have come before this answer.
      return deps.runs.hasSeen(result.resourceVersion) ? 'round' : 'wait';
    case 'exists':
      return refused(deps, task, { kind: 'taken', message: `the name "${name}" is taken by a record that is not ours` });
    case 'refused':
      return refused(deps, task, { kind: result.kind, message: result.message, ...(result.tooLarge && { tooLarge: result.tooLarge }) });
    case 'quota':
    case 'forbidden':
      return refused(deps, task, { kind: result.kind, message: result.message });
    case 'gone':
    case 'conflict':
    case 'unknown':
      return failed(deps, task, result.kind, 'message' in result ? result.message : 'no clean answer');
  }
}

/** The next round says so, and waits. */
function refused(deps: MessageStepDeps, task: MessageTask<StartRun>, refusal: Pick<Refusal, 'kind' | 'message' | 'tooLarge'>): Next {
  task.memory.refused(task.action.id, { ...refusal, hash: task.action.hash });
  failed(deps, task, refusal.kind, refusal.message);
  return 'round';
}

function failed({ told }: MessageStepDeps, { key, action }: MessageTask<StartRun>, result: string, message: string): Next {
  told(key, { action, step: 'failed', result, message, job: undefined, took: undefined });
  return 'pause';
}
