/** Rows about workflows. No I/O. */
import { median, quantile, short } from './numbers.ts';
import type { PlanResult } from './plan-speed.ts';
import type { Row } from './report.ts';
import type { Turn, WorkflowResult } from './workflows.ts';

export function workflowRows({ what, kcm, pairs, writes }: WorkflowResult): Row[] {
  const of = (pick: (turn: Turn) => number, unit: string): Pick<Row, 'measured' | 'beside' | 'ratio'> => ({
    measured: `${short(median(pairs.map(({ controller }) => pick(controller))))}${unit}`,
    beside: `${short(median(pairs.map(({ bare }) => pick(bare))))}${unit}`,
    ratio: median(pairs.map(({ controller, bare }) => pick(controller) / pick(bare))).toFixed(2),
  });
  const manager = kcm === 'default' ? ', controller manager at its defaults' : '';
  const bar = what.startsWith('chain') ? '150 ms, ratio ≤ 1.3' : '-';
  return [
    { what: `${what}${manager}: request sent (beside: first POST) → last pod seen Succeeded; bare script; median of ${pairs.length}`, ...of(({ last }) => last, ' ms'), bar },
    { what: 'first Job seen → last pod seen Succeeded', ...of(({ first, last }) => last - first, ' ms'), bar: '-' },
    { what: 'request sent → record seen Succeeded', measured: `${short(median(pairs.map(({ controller }) => controller.record)))} ms`, beside: '-', ratio: '-', bar: '-' },
    { what: 'CPU seconds of the client in that time', ...of(({ cpu }) => cpu.client, ' s'), bar: '-' },
    { what: 'CPU seconds of the API server in that time', ...of(({ cpu }) => cpu.apiServer, ' s'), bar: '-' },
    { what: `writes to the API server for each step: ${listed(writes.all)}`, measured: `${short(sum(writes.own))} (${listed(writes.own)})`, beside: `${short(sum(writes.all))} by all`, ratio: '-', bar: '-' },
  ];
}

export function planRows(results: readonly PlanResult[]): Row[] {
  return [...results.map(planRow), ...results.filter(({ whole, shape, steps }) => whole && shape === 'wide' && steps > 1000).map(recordRow)];
}

function planRow({ shape, steps, rounds, cpu }: PlanResult): Row {
  const measured = `${short(quantile(rounds, 0.5))} / ${short(quantile(rounds, 0.99))} ms, CPU ${short(cpu)} ms`;
  return { what: `planning one round of a run of ${steps} steps, ${shape}: p50 / p99 of ${rounds.length} rounds, mean CPU time`, measured, beside: '-', ratio: '-', bar: steps === 1000 ? '≤ 5 ms' : '-' };
}

function recordRow({ steps, record }: PlanResult): Row {
  return { what: `state of ${steps} steps that succeeded, as the record holds it (as JSON)`, measured: `${short(record.stored / 1024)} KiB (${short(record.json / 1024)})`, beside: '-', ratio: '-', bar: '≤ 1024 KiB' };
}

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((all, count) => all + count, 0);
const listed = (counts: Readonly<Record<string, number>>): string => Object.entries(counts).map(([what, count]) => `${count.toFixed(count < 0.1 ? 2 : 1)} ${what}`).join(', ');
