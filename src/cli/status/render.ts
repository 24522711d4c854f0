/** What status shows, as tables. */
import { isoTime } from '../../plan/iso-time.ts';
import { targetName } from '../../plan/run/record.ts';
import { age, elapsed } from '../runs/elapsed.ts';
import { isFinished, phaseCell, stateCell, triggerText } from '../runs/phases.ts';
import { standing, type SpecView } from '../runs/spec-view.ts';
import { table, type Cell } from '../runs/table.ts';
import { detailsLines } from './render-run.ts';
import type { ListedRun, Shown } from './read.ts';
import type { RenderOptions } from './render-options.ts';

/** More would scroll the specs away; `status NAME` lists all of one workflow. */
const latestRuns = 10;

/** Lines for people. */
export function render(shown: Shown, options: RenderOptions): string[] {
  const given = options.wide ? { ...options, screen: { ...options.screen, width: undefined } } : options;
  switch (shown.kind) {
    case 'overview':
      return overview(shown, given);
    case 'spec':
      return [...specTable(shown.specs, given), ...(shown.isWorkflow ? ['', ...runTable(shown.runs, false, given)] : [])];
    case 'run':
      return detailsLines(shown.details, given);
  }
}

function overview({ specs, runs }: Extract<Shown, { kind: 'overview' }>, options: RenderOptions): string[] {
  if (specs.length === 0 && runs.length === 0) return ['no specs and no runs here'];
  // Those under way first, however old.
  const some = [...runs.filter(({ record }) => !isFinished(record)), ...runs.filter(({ record }) => isFinished(record))].slice(0, latestRuns);
  const more = runs.length > some.length ? [`… and ${runs.length - some.length} more: job-chief status NAME lists all of a workflow`] : [];
  return [...specTable(specs, options), ...(runs.length > 0 ? ['', ...runTable(some, true, options), ...more] : [])];
}

function specTable(specs: readonly SpecView[], { screen, now, wide }: RenderOptions): string[] {
  if (specs.length === 0) return ['no spec: its ConfigMap is gone'];
  const rows = specs.map((spec): Cell[] => {
    const { state, reason, message } = standing(spec);
    const { source } = spec.claim;
    return [spec.kind, spec.name, ...(wide ? [source.kind === 'configMap' ? source.name : ''] : []), stateCell(state), reason, age(now - source.createdAt), message];
  });
  return table(['KIND', 'NAME', ...(wide ? ['CONFIGMAP'] : []), 'STATE', 'REASON', 'AGE', 'MESSAGE'], rows, screen);
}

function runTable(runs: readonly ListedRun[], withWorkflow: boolean, { screen, now, wide }: RenderOptions): string[] {
  if (runs.length === 0) return ['no runs'];
  const rows = runs.map(({ record, startedAt }): Cell[] => {
    const { name, phase, result, commands, createdAt } = record;
    const took = startedAt === undefined ? '' : elapsed((result?.finishedAt ?? now) - startedAt);
    const message = result?.message ?? (commands.cancel === undefined ? '' : `being cancelled: ${commands.cancel}`);
    const when = wide ? [isoTime(createdAt), startedAt === undefined ? '' : isoTime(startedAt)] : [age(now - createdAt)];
    return [name, ...(withWorkflow ? [targetName(record)] : []), triggerText(record), phaseCell(phase), ...when, took, message];
  });
  return table(['RUN', ...(withWorkflow ? ['WORKFLOW'] : []), 'TRIGGER', 'STATE', ...(wide ? ['CREATED', 'STARTED'] : ['AGE']), 'TOOK', 'MESSAGE'], rows, screen);
}
