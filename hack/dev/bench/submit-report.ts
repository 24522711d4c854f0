/** What was measured of submits, as rows of the table. */
import { median, quantile, short } from './numbers.ts';
import type { Row } from './report.ts';
import type { SubmitResult } from './submit.ts';

/** For the table. */
export function submitRows({ controller, bare, rates }: SubmitResult, concurrency: number): Row[] {
  const both = (values: readonly number[]): string => `${short(quantile(values, 0.5))} / ${short(quantile(values, 0.99))} ms`;
  const row = (what: string, measured: string, beside: string): Row => ({ what, measured, beside, ratio: '-', bar: '-' });
  const of = (pick: (rate: SubmitResult['rates'][number]) => number): number => median(rates.map(pick));
  return [
    row(`run asked for over HTTP → 202, p50 / p99 of ${controller.answered.length}; beside: POST of the Job → 201`, both(controller.answered), both(bare.answered)),
    row('the same → Job seen by a watcher', both(controller.seen), both(bare.seen)),
    row(`submits per second, ${concurrency} at once`, `${short(of(({ submits }) => submits))} / s`, '-'),
    { ...row('Jobs per second of these; beside: bare client', `${short(of(({ jobs }) => jobs))} / s`, `${short(of((rate) => rate.bare))} / s`), ratio: median(rates.map(({ jobs, bare: other }) => jobs / other)).toFixed(2) },
  ];
}
