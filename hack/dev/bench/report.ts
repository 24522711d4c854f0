/** What was measured, as rows of a table. No I/O. */
import type { LatencyResult } from './latency.ts';
import type { JobsPerMessage } from './jobs-per-message.ts';
import { loadLines } from './jobs-per-message-report.ts';
import type { Machine } from './machine.ts';
import type { IdleResult, MemoryResult } from './memory.ts';
import type { MessagesResult } from './messages.ts';
import { nameOfKind } from './message-queues.ts';
import { median, quantile, short } from './numbers.ts';
import type { BenchOptions } from './options.ts';
import type { PlanResult } from './plan-speed.ts';
import type { Burst, RatePair } from './bursts.ts';
import { planRows, workflowRows } from './workflow-report.ts';
import { submitRows } from './submit-report.ts';
import type { SubmitResult } from './submit.ts';
import type { WorkflowResult } from './workflows.ts';

export interface Results {
  readonly machine: Machine;
  /** undefined: none was needed. */
  kubernetes: string | undefined;
  readonly options: BenchOptions;
  latency?: readonly LatencyResult[];
  rate?: readonly RatePair[];
  messages?: readonly MessagesResult[];
  memory?: readonly MemoryResult[];
  idle?: IdleResult;
  workflows?: readonly WorkflowResult[];
  plan?: readonly PlanResult[];
  jobsPerMessage?: readonly JobsPerMessage[];
  submit?: SubmitResult;
}

export interface Row {
  readonly what: string;
  readonly measured: string;
  readonly beside: string;
  readonly ratio: string;
  readonly bar: string;
}

/** Markdown, for docs/performance.md. */
export function table(results: Results): string {
  const { latency = [], rate, messages = [], memory = [], idle, workflows = [], plan = [], submit, options } = results;
  const rows = [
    ...latency.flatMap((one) => latencyRows(one)),
    ...(rate ? rateRows(`create rate of ${options.count} Jobs`, rate, options) : []),
    ...messages.flatMap((one) => messagesRows(one, options)),
    ...memory.flatMap((one) => memoryRows(one, options)),
    ...(idle ? idleRows(idle) : []),
    ...workflows.flatMap(workflowRows),
    ...(submit ? submitRows(submit, options.concurrency) : []),
    ...planRows(plan),
  ];
  const cells = [['what', 'job-chief', 'beside it', 'ratio', 'bar'], ...rows.map(({ what, measured, beside, ratio, bar }) => [what, measured, beside, ratio, bar])];
  return [...conditions(results), ...(rows.length > 0 ? ['', ...markdown(cells)] : []), ...loadsTable(results.jobsPerMessage)].join('\n');
}

function markdown([head = [], ...body]: readonly (readonly string[])[]): string[] {
  const widths = head.map((_, i) => Math.max(...[head, ...body].map((row) => row[i]?.length ?? 0)));
  const text = (row: readonly string[]): string => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [text(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(text)];
}

function loadsTable(results: readonly JobsPerMessage[] | undefined): string[] {
  if (!results) return [];
  const { legend, rows } = loadLines(results);
  return ['', ...legend.map((line) => `- ${line}`), '', ...markdown(rows)];
}

function conditions({ machine, kubernetes, options }: Results): string[] {
  return [
    `Machine: ${machine.cores} x ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}, load ${machine.load} at the start. Node.js ${machine.node}.`,
    ...(kubernetes === undefined ? [] : [clusterConditions({ kubernetes, options })]),
  ];
}

function clusterConditions({ kubernetes, options }: Pick<Results, 'options' | 'kubernetes'>): string {
  return `Kubernetes ${kubernetes}: etcd ${options.durable ? 'with' : 'without'} fsync, controller manager with 1000 requests/s and 50 Job workers, pods played by a simulated kubelet in one write each; while the creates of queues are counted it ${options.withPods ? 'makes pods' : 'is paused'}. Everything shares the machine.`;
}

function latencyRows({ mode, visible, confirmed }: LatencyResult): Row[] {
  const both = (values: readonly number[]): string => `${short(quantile(values, 0.5))} / ${short(quantile(values, 0.99))} ms`;
  const how = { notify: 'queue with notify', polled: 'polled every second', pgBoss: `leased by job-chief (perMessage), ${nameOfKind.pgBoss}`, amqp: `leased by job-chief (perMessage), ${nameOfKind.amqp}` }[mode];
  const stored = mode === 'amqp' ? 'message confirmed' : 'message committed';
  const bar = mode === 'polled' ? '-' : '25 / 100 ms';
  return [
    { what: `${stored} → Job seen by a watcher, ${how}, p50 / p99 of ${visible.length}`, measured: both(visible), beside: '-', ratio: '-', bar },
    { what: `${stored} → create confirmed, ${how}`, measured: both(confirmed), beside: '-', ratio: '-', bar: '-' },
  ];
}

function messagesRows({ kind, messages, pairs }: MessagesResult, options: BenchOptions): Row[] {
  const what = `${messages} messages of one queue (${nameOfKind[kind]})`;
  // A burst with more Jobs, or with fewer, ends the bench.
  return [{ what: `Jobs for each of ${what}, in each burst`, measured: '1.00', beside: '-', ratio: '-', bar: '1.00' }, ...rateRows(`create rate of a Job for each of ${what}`, pairs, options)];
}

function rateRows(what: string, pairs: readonly RatePair[], { count, concurrency }: BenchOptions): Row[] {
  const of = (pick: (burst: Burst) => number, unit: string): Pick<Row, 'measured' | 'beside' | 'ratio'> => ({
    measured: `${short(median(pairs.map(({ controller }) => pick(controller))))}${unit}`,
    beside: `${short(median(pairs.map(({ bare }) => pick(bare))))}${unit}`,
    ratio: median(pairs.map(({ controller, bare }) => pick(controller) / pick(bare))).toFixed(2),
  });
  return [
    { what: `${what}, ${concurrency} requests at once, first to last; beside: bare client; median of ${pairs.length} pairs`, ...of(({ rate }) => rate, ' / s'), bar: 'ratio ≥ 0.95' },
    { what: `${count} messages committed (first one published, first POST sent) → last Job seen`, ...of(({ last }) => last, ' ms'), bar: '-' },
    { what: 'the same → first Job seen', ...of(({ first }) => first, ' ms'), bar: '-' },
    { what: 'CPU seconds of the client in that time', ...of(({ cpu }) => cpu.client, ' s'), bar: '-' },
    { what: 'CPU seconds of the API server in that time', ...of(({ cpu }) => cpu.apiServer, ' s'), bar: '-' },
  ];
}

function memoryRows({ setting, coldStart, resident, peak }: MemoryResult, { count, jobs }: BenchOptions): Row[] {
  return [
    { what: `resident memory, ${count} specs, ${jobs} finished Jobs, ${setting}`, measured: `${short(median(resident))} MiB (peak ${short(median(peak))})`, beside: '-', ratio: '-', bar: '≤ 150 MiB' },
    { what: `process start → synced, ${setting}`, measured: `${short(median(coldStart) / 1000)} s`, beside: '-', ratio: '-', bar: '≤ 3 s' },
  ];
}

function idleRows({ seconds, requests, watches }: IdleResult): Row[] {
  return [{ what: `requests to the API server in ${seconds} s of idleness`, measured: `${requests - watches}, and ${watches} watches opened anew`, beside: '-', ratio: '-', bar: 'watches only' }];
}
