/** `job-chief plan` */
import { text } from 'node:stream/consumers';
import { Option, type Command } from 'commander';
import { stringify } from 'yaml';
import type { SpecEnvironment } from '../spec/parsed.ts';
import { podPolicyFrom } from '../spec/pod-policy/policy.ts';
import { exitCode, UserError } from './exit-code.ts';
import { readEnvironment } from './lint/environment.ts';
import { readSources, type ReadSources } from './lint/files.ts';
import { renderText } from './lint/render-text.ts';
import { count } from './lint/result.ts';
import { queueDepths } from './plan/depths.ts';
import { dryRun } from './plan/dry-run.ts';
import { hasChanges, isRefused, planFiles, type FilesPlan, type PlanDeps } from './plan/plan-files.ts';
import { planDocument, planLines, summaryOf } from './plan/render.ts';
import { addClusterOptions, inSession, type ClusterOptions, type Session } from './runs/session.ts';

export interface PlanPaths {
  readonly paths: readonly string[];
  readonly config: string | undefined;
  readonly all: boolean;
}

export interface PlanOptions {
  readonly output: 'text' | 'json' | 'yaml';
  readonly all: boolean;
  readonly dryRun: 'server' | 'none';
  /** Exit code 1 also where something would change. */
  readonly failOnChanges: boolean;
  /** Asks queues how deep they are; undefined: nobody does. */
  readonly depth: PlanDeps['depth'];
}

/** All that is read before the cluster is asked. */
export interface PlanInput extends ReadSources {
  readonly environment: SpecEnvironment;
}

type Options = ClusterOptions & Pick<PlanOptions, 'output' | 'dryRun'> & { readonly config?: string; readonly all?: boolean; readonly connections?: boolean; readonly failOnChanges?: boolean };

const help = `
Reads the specs, Jobs, pods and records of the namespace with your own rights, puts the
files in the place of what they define, and plans as the controller does. Nothing is
written; the Jobs of new and changed specs are sent as a server-side dry run, where you
may create Jobs.

Exit code: 0 planned; 1 the specs have errors, or a Job would be refused, or with --fail-on-changes: something would change; 2 a file cannot be read, or the cluster did not answer.

Examples:
  job-chief plan queues/ -n media
  kustomize build . | job-chief plan - --all
  job-chief plan etl.yaml -o json | jq '.specs[].change'`;

/** Adds arguments, options and action. */
export function definePlan(command: Command): void {
  addClusterOptions(command)
    .description('Shows what would change in a cluster if these files were applied: specs and their Jobs, what becomes of Jobs and runs that are there, and what would start.')
    .argument('[path...]', 'spec files, Kubernetes manifests or folders of them; - for standard input; default: this folder')
    .addOption(new Option('-o, --output <format>', 'how it is printed').choices(['text', 'json', 'yaml']).default('text'))
    .option('--all', 'the files are all specs there are to be: what they do not have is removed')
    .addOption(new Option('--dry-run <how>', 'whether the API server is asked about the Jobs').choices(['server', 'none']).default('server'))
    .option('--config <file>', "the controller's configuration, for its jobDefaults, connections and policy")
    .option('--connections', 'ask the queues how many messages wait, by the connections of the configuration')
    .option('--fail-on-changes', 'exit code 1 if something would change')
    .addHelpText('after', help)
    .action(async (paths: string[], { output, dryRun: how, config, all = false, connections = false, failOnChanges = false, ...options }: Options) => {
      const input = await readPlanInput({ paths, config, all }, () => text(process.stdin));
      const queues = connections ? await queueDepths(config) : undefined;
      try {
        process.exitCode = await inSession(options, (session) => showPlan(session, { output, all, dryRun: how, failOnChanges, depth: queues?.depth }, input));
      } finally {
        await queues?.close();
      }
    });
}

/** Throws a UserError where what is missing would be taken for removed, or the configuration cannot be used. */
export async function readPlanInput({ paths, config, all }: PlanPaths, stdin: () => Promise<string>): Promise<PlanInput> {
  const environment = await readEnvironment(config);
  const { sources, unreadable } = await readSources(paths.length === 0 ? ['.'] : paths, stdin);
  if (all && unreadable.length > 0) throw new UserError(`with --all nothing may be missing: ${unreadable.join('; ')}`);
  return { environment, sources, unreadable };
}

/** Prints it; the exit code. Throws a UserError where the cluster does not answer. */
export async function showPlan(session: Session, options: PlanOptions, { environment, sources, unreadable }: PlanInput): Promise<number> {
  const { runs, clock, screen, out, err } = session;
  const policy = environment.policy ?? podPolicyFrom(undefined, { connectionSecrets: [], ownServiceAccount: undefined });
  const check: PlanDeps['check'] = options.dryRun === 'none' ? undefined : (demand) => dryRun({ client: runs.client, clock, policy }, demand);
  const plan = await planFiles({ runs, clock, environment, check, depth: options.depth }, { sources, all: options.all });
  const texts = new Map(sources.map(({ name, text: content }) => [name, content]));
  if (options.output === 'text') {
    const problems = renderText(plan.problems, texts, { excerpts: screen.width !== undefined, colours: screen.colours });
    out([...planLines(plan, { screen, now: clock.now() }), ...(problems === '' ? [] : ['', problems])].join('\n'));
  } else {
    // Through JSON: what is absent is no null.
    const document: unknown = JSON.parse(JSON.stringify(planDocument(plan)));
    out(options.output === 'json' ? JSON.stringify(document, undefined, 2) : stringify(document, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd());
  }
  for (const sentence of unreadable) err(`error: ${sentence}`);
  err(summaryOf(plan));
  if (unreadable.length > 0) return exitCode.error;
  return verdictOn(plan, options) ? exitCode.no : exitCode.ok;
}

function verdictOn(plan: FilesPlan, { failOnChanges }: PlanOptions): boolean {
  return count(plan.problems).errors > 0 || plan.changes.some(isRefused) || (failOnChanges && hasChanges(plan));
}
