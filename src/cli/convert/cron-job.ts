/** CronJobs of Kubernetes: a Workflow of one step each, on the same schedule. */
import { shown } from '../../lib/show.ts';
import { cronProblem } from '../../spec/cron.ts';
import type { Converted } from './format.ts';
import { Draft } from './draft.ts';
import type { Item } from './item.ts';
import { seconds, writeJob } from './kubernetes-job.ts';
import { writeObjectMetadata } from './object-metadata.ts';

/** The one step. */
const step = ['steps', 0] as const;

/** Words that Kubernetes takes for schedules. */
const macros: ReadonlyMap<string, string> = new Map(Object.entries({
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}));

const known = new Set(['schedule', 'timeZone', 'concurrencyPolicy', 'startingDeadlineSeconds', 'suspend', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit', 'jobTemplate']);

/** As job-chief's `concurrency.max` has it. */
const mostRuns = 1_000;

/** One Workflow for each CronJob. */
export function convertCronJobs(objects: readonly Item[]): Converted {
  return { drafts: objects.map(cronJob), problems: [] };
}

function cronJob(object: Item): Draft {
  const draft = new Draft({ kind: 'Workflow', name: object.at('metadata', 'name').text ?? 'cronjob', source: object });
  writeObjectMetadata(draft, object);
  const spec = object.at('spec');
  writeTrigger(draft, spec);
  const suspend = draft.flag(spec.at('suspend'));
  if (suspend === true) draft.set(['suspend'], true, spec.at('suspend'));
  for (const [field, outcome] of [['successfulJobsHistoryLimit', 'succeeded'], ['failedJobsHistoryLimit', 'failed']] as const) {
    const count = draft.count(spec.at(field));
    if (count !== undefined) draft.set(['retention', outcome], { count }, spec.at(field));
  }
  for (const [name, item] of spec.fields().filter(([field]) => !known.has(field))) draft.remark([], `${name}: ${shown(item.value)} is no field of a CronJob that job-chief knows.`);
  draft.set([...step, 'name'], 'job');
  const template = spec.at('jobTemplate');
  writeJob({ draft, at: step, inQueue: false }, template.at('metadata'), template.at('spec'));
  return draft;
}

function writeTrigger(draft: Draft, spec: Item): void {
  const { line, zone } = writeSchedule(draft, spec.at('schedule'));
  draft.set(['trigger', 'schedules'], line === undefined ? [] : [line], spec.at('schedule'));
  const timeZone = draft.text(spec.at('timeZone')) ?? zone;
  draft.set(['trigger', 'timeZone'], timeZone, spec.at('timeZone'));
  if (timeZone === undefined) draft.remark(['trigger', 'schedules'], 'The CronJob had no timeZone: it meant the clock of the kube-controller-manager, mostly UTC. Here it is UTC; set timeZone for another one.');
  const policy = draft.text(spec.at('concurrencyPolicy')) ?? 'Allow';
  draft.set(['trigger', 'concurrencyPolicy'], policy, spec.at('concurrencyPolicy'));
  if (policy === 'Allow') {
    draft.set(['concurrency'], { max: mostRuns });
    draft.remark(['concurrency'], spec.at('concurrencyPolicy').exists ? 'Allow had no bound.' : 'The CronJob had no concurrencyPolicy, which is Allow, without a bound: for one run at a time remove this, and write concurrencyPolicy: Forbid.');
  }
  const deadline = draft.count(spec.at('startingDeadlineSeconds'));
  if (deadline !== undefined) draft.set(['trigger', 'startingDeadline'], seconds(Math.max(1, deadline)), spec.at('startingDeadlineSeconds'));
  draft.set(['trigger', 'onRequest'], true);
  draft.remark(['trigger', 'onRequest'], `In place of kubectl create job --from=cronjob/${draft.name}: job-chief run ${draft.name}.`);
}

/** The line with five fields, and the zone that may stand before it. */
function writeSchedule(draft: Draft, item: Item): { readonly line: string | undefined; readonly zone: string | undefined } {
  const given = draft.requiredText(item);
  const [, zone, rest] = /^(?:CRON_)?TZ=(\S+)\s+(.*)$/.exec(given?.trim() ?? '') ?? [];
  const line = rest ?? given?.trim();
  if (line === undefined) return { line, zone };
  const plain = macros.get(line) ?? line.replaceAll('?', '*');
  if (plain !== line) draft.remark(['trigger', 'schedules'], `Was ${line}.`);
  const problem = cronProblem(plain);
  if (line.startsWith('@every')) draft.complain(item, 'InvalidValue', `${line} counts from when the controller started, and has no equal`, { hint: 'write the times: "*/5 * * * *" for every five minutes' });
  else if (problem !== undefined) draft.complain(item, 'InvalidValue', `"${plain}" is no schedule: ${problem}`);
  return { line: plain, zone };
}
