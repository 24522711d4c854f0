/** One run: what it is, its steps, and what determined how long it took. */
import { isoTime } from '../../plan/iso-time.ts';
import { targetName, type ObservedRecord } from '../../plan/run/record.ts';
import type { RunState } from '../../plan/run/state.ts';
import type { CriticalPath } from '../runs/critical-path.ts';
import { age, elapsed } from '../runs/elapsed.ts';
import { isFinished, phaseCell, stepCell, triggerText } from '../runs/phases.ts';
import type { StepView } from '../../plan/run/step-views.ts';
import { oneLine, painted, table, type Cell } from '../runs/table.ts';
import type { RunDetails } from './read.ts';
import type { RenderOptions } from './render-options.ts';

/** Lines for people. */
export function detailsLines(details: RunDetails, options: RenderOptions): string[] {
  const { steps, path } = details;
  return [
    ...headLines(details, options),
    ...(steps.length > 0 ? ['', ...stepTable(details, options)] : []),
    ...(path ? ['', ...pathLines(path, options)] : []),
    ...outputLines(details),
  ];
}

function headLines({ record, parameters, state, message }: RunDetails, { screen, now }: RenderOptions): string[] {
  const { commands } = record;
  const suspended = commands.suspend && record.phase === 'Running' ? ' (to be suspended)' : '';
  const lines: readonly (readonly [string, string])[] = [
    ['Run', record.name],
    [record.target.kind === 'template' ? 'Template' : 'Workflow', targetName(record)],
    ['Trigger', triggerText(record)],
    ['State', `${painted(phaseCell(record.phase), screen.colours)}${suspended}`],
    ...(state ? timeLines(record, state, now) : [['Asked for', agoText(record.createdAt, now)] as const]),
    ['To be ended', commands.cancel === undefined || isFinished(record) ? '' : oneLine(commands.cancel)],
    ['Parameters', Object.keys(parameters).length === 0 ? '' : JSON.stringify(parameters)],
    ['Message', oneLine(message)],
  ];
  return lines.filter(([, text]) => text !== '').map(([label, text]) => `${`${label}:`.padEnd(13)}${text}`);
}

function timeLines(record: ObservedRecord, { startedAt }: RunState, now: number): (readonly [string, string])[] {
  const took = elapsed((record.result?.finishedAt ?? now) - startedAt);
  return [['Started', agoText(startedAt, now)], ['Took', isFinished(record) ? took : `${took} so far`]];
}

function agoText(time: number, now: number): string {
  return `${isoTime(time)} (${age(now - time)} ago)`;
}

/** Columns that say nothing about any of the steps are left out. */
export function stepTable({ steps, state, record }: RunDetails, { screen, now, wide }: RenderOptions): string[] {
  const hasPhases = steps.some((step) => placeOf(step) !== '');
  const hasItems = steps.some(({ items }) => items !== undefined);
  const end = record.result?.finishedAt ?? now;
  const rows = steps.map((step): Cell[] => [
    ...(hasPhases ? [placeOf(step)] : []),
    step.name,
    stepCell(step.state),
    ...(hasItems ? [itemsText(step)] : []),
    step.attempts === 0 ? '' : String(step.attempts),
    ...times(step, state?.startedAt, end),
    reasonText(step),
    ...(wide ? [step.object ?? ''] : []),
    step.message,
  ]);
  const headers = [...(hasPhases ? ['PHASE'] : []), 'STEP', 'STATE', ...(hasItems ? ['ITEMS'] : []), 'TRIES', 'START', 'WAIT', 'RAN', 'REASON', ...(wide ? ['OBJECT'] : []), 'MESSAGE'];
  return table(headers, rows, screen);
}

function placeOf({ part, phase }: StepView): string {
  return part === 'steps' ? (phase ?? '') : part;
}

function itemsText({ items }: StepView): string {
  return items === undefined ? '' : `${items.succeeded ?? '?'}/${items.all}`;
}

/** Start, counted from that of the run; from there to the first container; from there to the end. */
function times({ startedAt, ranAt, endedAt }: StepView, began: number | undefined, now: number): string[] {
  if (startedAt === undefined || began === undefined) return ['', '', ''];
  const end = endedAt ?? now;
  const ran = ranAt === undefined ? undefined : Math.min(Math.max(ranAt, startedAt), end);
  return [elapsed(startedAt - began), elapsed((ran ?? end) - startedAt), ran === undefined ? '' : elapsed(end - ran)];
}

function reasonText({ exitCode, reason, state }: StepView): string {
  const code = exitCode === undefined || exitCode === 0 || state === 'Succeeded' ? '' : `exit ${exitCode}`;
  // The container runtime's word for any exit code but 0.
  const known = reason === undefined || (reason === 'Error' && code !== '') ? '' : reason;
  return code !== '' && known !== '' ? `${known} (${code})` : known + code;
}

function pathLines({ steps, sum }: CriticalPath, { screen }: RenderOptions): string[] {
  let at = 0;
  const rows = steps.map(({ name, role, gap, wait, ran }): Cell[] => {
    at += gap + wait + (ran ?? 0);
    return [`${role === 'undo' ? 'undo ' : ''}${name}`, elapsed(gap), elapsed(wait), ran === undefined ? '' : elapsed(ran), elapsed(at)];
  });
  return [`Critical path: ${elapsed(sum)}`, ...table(['STEP', 'GAP', 'WAIT', 'RAN', 'SUM'], rows, screen).map((line) => `  ${line}`)];
}

function outputLines({ record, state }: RunDetails): string[] {
  const outputs = record.result?.outputs ?? state?.end?.outputs;
  if (outputs === undefined || Object.keys(outputs).length === 0) return [];
  return ['', 'Outputs:', ...Object.entries(outputs).map(([name, value]) => `  ${name}: ${oneLine(JSON.stringify(value))}`)];
}
