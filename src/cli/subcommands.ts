/**
 * The subcommands. Each lives in a file of its own that is loaded only when it is asked for, so that `lint` does not
 * wait for the HTTP server of `controller` to be read.
 */
import type { Command } from 'commander';

export interface Subcommand {
  /** `['lint']`, `['check', 'connection']`. */
  readonly path: readonly [string, ...string[]];
  /** One line for the overview. */
  readonly summary: string;
  /** Adds description, arguments, options and action. */
  readonly load: () => Promise<(command: Command) => void>;
}

/** Words that only group others. */
export const groups: Readonly<Record<string, string>> = { check: 'Check something that job-chief needs' };

export const subcommands: readonly Subcommand[] = [
  { path: ['controller'], summary: 'Run the controller: the service that turns ConfigMaps into Jobs', load: async () => (await import('./controller.ts')).defineController },
  { path: ['lint'], summary: 'Check specs in files, folders or standard input', load: async () => (await import('./lint/command.ts')).defineLint },
  { path: ['plan'], summary: 'Show what would change in a cluster if files were applied', load: async () => (await import('./plan.ts')).definePlan },
  { path: ['graph'], summary: 'Draw a workflow: its steps and what they wait for', load: async () => (await import('./graph.ts')).defineGraph },
  { path: ['status'], summary: 'Show specs and runs, or the steps of one run', load: async () => (await import('./status.ts')).defineStatus },
  { path: ['why'], summary: 'Say what a spec, a run or a step waits for, and what would end that', load: async () => (await import('./why.ts')).defineWhy },
  { path: ['logs'], summary: 'Print what the containers of a run or a queue write', load: async () => (await import('./logs.ts')).defineLogs },
  { path: ['run'], summary: 'Start a run of a workflow', load: async () => (await import('./run.ts')).defineRun },
  { path: ['wait'], summary: 'Wait for the end of a run, or for a spec to be in force', load: async () => (await import('./wait.ts')).defineWait },
  { path: ['rerun'], summary: 'Start a run again, without what succeeded', load: async () => (await import('./rerun.ts')).defineRerun },
  { path: ['cancel'], summary: 'End a run', load: async () => (await import('./cancel.ts')).defineCancel },
  { path: ['approve'], summary: 'Approve or reject a step that waits for it', load: async () => (await import('./approve.ts')).defineApprove },
  { path: ['suspend'], summary: 'Keep a run from starting anything', load: async () => (await import('./suspend.ts')).defineSuspend },
  { path: ['resume'], summary: 'Let a suspended run go on', load: async () => (await import('./resume.ts')).defineResume },
  { path: ['new'], summary: 'Write the first text of a spec', load: async () => (await import('./new.ts')).defineNew },
  { path: ['explain'], summary: 'Explain a field of a spec or of the configuration', load: async () => (await import('./explain.ts')).defineExplain },
  { path: ['wrap'], summary: 'Make a ConfigMap of a folder with a spec and its files', load: async () => (await import('./wrap.ts')).defineWrap },
  { path: ['convert'], summary: 'Write specs from the configuration of another system', load: async () => (await import('./convert/command.ts')).defineConvert },
  { path: ['check', 'connection'], summary: 'Check that a queue connection works', load: async () => (await import('./check-connection.ts')).defineCheckConnection },
  { path: ['check', 'permissions'], summary: 'Check which features have the rights that they need', load: async () => (await import('./check-permissions.ts')).defineCheckPermissions },
  { path: ['completion'], summary: 'Print a script that completes commands in a shell', load: async () => (await import('./completion.ts')).defineCompletion },
  { path: ['version'], summary: 'Print the version', load: async () => (await import('./version.ts')).defineVersion },
];
