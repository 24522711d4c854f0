/** Standalone runs on a simulated cluster: each start is a process of its own, which may be killed. */
import { runLoaded } from '../../src/cli/standalone/standalone.ts';
import type { LoadedWorkflow } from '../../src/cli/standalone/load.ts';
import type { StandaloneOptions } from '../../src/cli/standalone/options.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { asError } from '../../src/lib/clock.ts';
import type { KillPoint, SimulatedProcess } from '../../src/simulation/process.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import type { StartOptions } from './simulation.ts';
import { workflowText, type WorkflowScene } from './workflow-scene.ts';

/** As from a file with these fields. */
export function loaded(fields: JsonObject, name = 'etl'): LoadedWorkflow {
  const text = workflowText(fields);
  const { spec, problems } = parseSpec({ file: 'spec.yaml', objectName: name, label: undefined, data: { 'spec.yaml': text } }, {});
  if (spec?.kind !== 'Workflow') throw new Error(`not valid: ${JSON.stringify(problems)}`);
  return { spec, text, mounted: {}, warnings: '' };
}

export interface StartedRun {
  readonly process: SimulatedProcess;
  /** What it printed. */
  readonly out: string[];
  readonly err: string[];
  /** Its exit code, or the error that ended it. */
  code: number | undefined;
  error: Error | undefined;
  /** As Ctrl-C does it. */
  interrupt(): void;
}

export interface StartFlags extends Partial<StandaloneOptions> {
  readonly kill?: KillPoint;
  readonly process?: StartOptions;
}

/** Starts the command once. */
export function startRun(scene: WorkflowScene, workflow: LoadedWorkflow, { kill, process: options, ...flags }: StartFlags = {}): StartedRun {
  const stop = new AbortController();
  const [out, err]: [string[], string[]] = [[], []];
  const all: StandaloneOptions = { file: 'spec.yaml', parameters: { assignments: [], document: {} }, newRun: false, cleanUp: false, cancel: false, approve: [], output: 'text', ...flags };
  const process = scene.world.process(async ({ clock, random, transport, namespace }) => {
    try {
      const code = await runLoaded(workflow, all, { clock, random: () => random.next(), transport, namespace, stop: stop.signal, out: (line) => out.push(line), err: (line) => err.push(line), screen: { colours: false, width: undefined } });
      started.code = code;
    } catch (error) {
      started.error = asError(error);
    }
  }, options);
  if (kill) process.killAt(kill);
  const started: StartedRun = { process, out, err, code: undefined, error: undefined, interrupt: () => { stop.abort(new Error('SIGINT')); } };
  return started;
}

/** Waits until the command is over; its exit code, or its error's message. */
export async function finished(scene: WorkflowScene, run: StartedRun, limit = 600_000): Promise<number | string> {
  await scene.world.runUntil(() => run.code !== undefined || run.error !== undefined, limit);
  return run.error?.message ?? run.code ?? `not over: ${run.err.join('\n')}`;
}

/** Starts it and waits for its end. */
export function ran(scene: WorkflowScene, workflow: LoadedWorkflow, flags: StartFlags = {}): Promise<number | string> {
  return finished(scene, startRun(scene, workflow, flags));
}
