/** Where the words of each command come from. */

/** `target`: specs and runs; `runnable`: workflows and templates; `run`: runs; `step`, `approval`: of the run before. */
export type Source = 'target' | 'runnable' | 'run' | 'step' | 'approval' | 'field' | 'kind' | 'shell' | 'files';

const files: readonly Source[] = ['files'];
/** By position. Commands that are not here take files, or nothing that can be guessed. */
const sources: Readonly<Record<string, readonly Source[]>> = {
  status: ['target'],
  why: ['target', 'step'],
  wait: ['target'],
  logs: ['target', 'step'],
  run: ['runnable'],
  rerun: ['run'],
  cancel: ['run'],
  approve: ['run', 'approval'],
  suspend: ['run'],
  resume: ['run'],
  explain: ['field'],
  new: ['kind'],
  completion: ['shell'],
  'check connection': [],
  'check permissions': [],
  controller: [],
  version: [],
};

/** undefined: nothing is known. */
export function sourceOf(command: string, position: number): Source | undefined {
  const own = Object.hasOwn(sources, command) ? sources[command] : undefined;
  return own ? own[position] : files[0];
}
