import { describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { metrics } from '../../../src/adapters/metrics/names.ts';
import { find, manifests, readManifest } from './render.ts';

interface Alert { alert: string; expr: string; for: string; labels: { severity: string }; annotations: { summary: string; description: string } }
interface Groups { groups: { name: string; rules: Alert[] }[] }

const rules = parse(readFileSync(join(manifests, 'prometheus/rules.yaml'), 'utf8')) as Groups;
const alerts = rules.groups.flatMap((group) => group.rules);
const definitions = new Map(Object.values(metrics).map((definition) => [definition.name as string, definition]));
/** Labels that scraping adds. */
const targetLabels = ['namespace', 'pod', 'instance', 'job'];

describe('alerts', () => {
  it('are the same for the Prometheus operator', () => {
    expect(find(readManifest('components/prometheus-operator/prometheus-rule.yaml'), 'PrometheusRule', 'job-chief')['spec']).toEqual(rules);
  });

  it('cover rejected specs, stale watches, failing rounds and queues that do not drain', () => {
    expect(alerts.map(({ alert }) => alert)).toEqual(expect.arrayContaining(['JobChiefSpecRejected', 'JobChiefWatchStale', 'JobChiefReconcileErrors', 'JobChiefQueueNotDraining']));
    expect(alerts.find(({ alert }) => alert === 'JobChiefSpecRejected')?.for).toBe('15m');
  });

  it.each(alerts.map((alert) => [alert.alert, alert] as const))('%s says what to do, and uses metrics and labels that exist', (_, { expr, annotations, labels }) => {
    expect(annotations.summary.length * annotations.description.length).toBeGreaterThan(0);
    expect(['warning', 'critical']).toContain(labels.severity);
    const used = expr.match(/\b(?:job_chief|workqueue|rest_client)_[a-z_]+/g) ?? [];
    expect(used.length).toBeGreaterThan(0);
    const known = new Set(targetLabels);
    for (const name of used) {
      const definition = definitions.get(name);
      expect(definition, name).toBeDefined();
      definition?.labels.forEach((label) => known.add(label));
    }
    const named = [...expr.matchAll(/([a-z_]+)=~?"/g)].map(([, label]) => label);
    const listed = [...expr.matchAll(/\b(?:on|by) \(([^)]*)\)/g)].flatMap(([, list]) => (list ?? '').split(', '));
    const shown = [...annotations.summary.matchAll(/\$labels\.([a-z_]+)/g)].map(([, label]) => label);
    for (const label of [...named, ...listed, ...shown]) expect(known).toContain(label);
  });
});
