/** Jobs for each message, as a table of its own: a column for each load. No I/O. */
import type { Counted, Outcome } from './counting-simulation.ts';
import { leasedKinds, strategies, type JobsPerMessage } from './jobs-per-message.ts';
import { messagesOf } from './loads.ts';
import { median } from './numbers.ts';

const kinds = { pgBoss: 'pg-boss', amqp: 'RabbitMQ', sqs: 'SQS' } as const;
const metrics: Readonly<Record<Counted, string>> = { all: 'counts all messages', ready: 'counts what nobody has taken' };

/** First what each load is, then a row for each way to make Jobs. */
export function loadLines(results: readonly JobsPerMessage[]): { readonly legend: readonly string[]; readonly rows: readonly (readonly string[])[] } {
  const row = (what: string, pick: (result: JobsPerMessage) => Outcome | undefined): string[] => [what, ...results.map((result) => cell(pick(result), messagesOf(result.load)))];
  const counting = (['all', 'ready'] as const).flatMap((counted) =>
    strategies.map((strategy) => row(`KEDA's formula \`${strategy}\`, ${metrics[counted]}`, (result) => result.counting.find((one) => one.strategy === strategy && one.counted === counted)?.outcome)));
  return {
    legend: results.map(({ load }) => `${load.name}: ${load.what} (${messagesOf(load)} messages, at most ${load.max} Jobs at once).`),
    rows: [['Jobs for each message; wait: median, longest', ...results.map(({ load }) => load.name)], ...leasedKinds.map((kind) => row(`job-chief, ${kinds[kind]}`, ({ leased }) => leased[kind])), ...counting],
  };
}

function cell(outcome: Outcome | undefined, messages: number): string {
  if (!outcome) return '-';
  const { jobs, left, waits } = outcome;
  const never = left > 0 ? `, ${left} never done` : '';
  return `${(jobs / messages).toFixed(2)}${never}; ${seconds(median(waits))}, ${seconds(Math.max(...waits))}`;
}

function seconds(milliseconds: number): string {
  return Number.isFinite(milliseconds) ? `${Math.round(milliseconds / 1000)} s` : '-';
}
