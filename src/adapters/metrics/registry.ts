/** One Registry per process (and per test): instruments made from their definitions, and the text they are served as. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { MetricDefinition } from './names.ts';

/** Where instruments are registered. */
export type MetricRegistry = Registry;

export function createRegistry(): MetricRegistry {
  return new Registry();
}

/** Memory, CPU, event loop and garbage collection, under the names that every Node.js dashboard knows. */
export function addProcessMetrics(registry: MetricRegistry): void {
  collectDefaultMetrics({ register: registry });
}

export function counter<Label extends string>(registry: MetricRegistry, definition: MetricDefinition<Label>): Counter<Label> {
  const { name, help, labels } = definition;
  return new Counter({ name, help, labelNames: labels, registers: [registry] });
}

/** `collect` runs at each scrape, for values that are cheaper to read than to keep. */
export function gauge<Label extends string>(registry: MetricRegistry, definition: MetricDefinition<Label>, collect?: (gauge: Gauge<Label>) => void): Gauge<Label> {
  const { name, help, labels } = definition;
  const made: Gauge<Label> = new Gauge({
    name, help, labelNames: labels, registers: [registry],
    ...(collect && { collect: () => { collect(made); } }),
  });
  return made;
}

export function histogram<Label extends string>(registry: MetricRegistry, definition: MetricDefinition<Label>): Histogram<Label> {
  const { name, help, labels, buckets } = definition;
  return new Histogram({ name, help, labelNames: labels, registers: [registry], ...(buckets && { buckets: [...buckets] }) });
}

/** A scrape's answer. */
export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

const plainType = 'text/plain; version=0.0.4; charset=utf-8';
const openMetricsType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** All series, as OpenMetrics where the scraper asks for it, else as the Prometheus text format. */
export async function expose(registry: MetricRegistry, accept: string | undefined): Promise<Exposition> {
  // prom-client writes `Nan`, which not every parser takes.
  const text = (await registry.metrics()).replace(/ Nan$/gm, ' NaN');
  return prefersOpenMetrics(accept) ? { contentType: openMetricsType, body: toOpenMetrics(text) } : { contentType: plainType, body: text };
}

/** Prometheus sends both types with weights; whoever weighs OpenMetrics lower does not want it. */
function prefersOpenMetrics(accept: string | undefined): boolean {
  const weightOf = (type: string): number => {
    const range = (accept ?? '').split(',').map((part) => part.trim()).find((part) => part.split(';', 1)[0]?.trim() === type);
    if (range === undefined) return 0;
    return Number(/;\s*q=([0-9.]+)/.exec(range)?.[1] ?? 1);
  };
  const open = weightOf('application/openmetrics-text');
  return open > 0 && open >= weightOf('text/plain');
}

/**
 * OpenMetrics names a counter's family without `_total`, knows no blank lines and ends with `# EOF`. prom-client would
 * write that too, but by renaming the registered counters, so that the next plain scrape shows other names.
 */
function toOpenMetrics(text: string): string {
  const counters = new Set(Array.from(text.matchAll(/^# TYPE (\S+) counter$/gm), (match) => match[1]));
  const lines = text.split('\n').filter((line) => line !== '').map((line) => {
    const [, head, name, rest] = /^(# (?:HELP|TYPE)) (\S+) (.*)$/.exec(line) ?? [];
    if (head === undefined || name === undefined || rest === undefined || !counters.has(name)) return line;
    return `${head} ${name.replace(/_total$/, '')} ${rest}`;
  });
  return `${lines.join('\n')}\n# EOF\n`;
}
