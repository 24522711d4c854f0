/** The Roles for people: each command works with the one that is meant for it, and not with less. */
import { describe, expect, it } from 'vitest';
import { followLogs } from '../../../src/cli/logs/follow.ts';
import { logSource } from '../../../src/cli/logs/source.ts';
import { logs } from '../../../src/cli/logs.ts';
import { approveStep, cancelRun, resumeRun, suspendRun } from '../../../src/cli/runs/commands.ts';
import type { Session } from '../../../src/cli/runs/session.ts';
import { submitRerun, submitRun } from '../../../src/cli/runs/submit.ts';
import { tellSubmitted, type WaitOptions } from '../../../src/cli/runs/submitted.ts';
import { showStatus } from '../../../src/cli/status.ts';
import { showPlan } from '../../../src/cli/plan.ts';
import { wantedOf } from '../../../src/cli/wait.ts';
import { waitFor } from '../../../src/cli/wait/wait.ts';
import { explainWhy } from '../../../src/cli/why.ts';
import { CommandLine } from '../../support/command-line.ts';
import { step, WorkflowScene } from '../../support/workflow-scene.ts';
import { find, granted, readManifest } from './render.ts';

const viewer = granted(readManifest('roles/viewer.yaml'));
const submitter = granted(readManifest('roles/submitter.yaml'));
const operator = granted(readManifest('roles/operator.yaml'));

const random = (): string => 'x';
const someLogs = { container: undefined, allContainers: true, previous: false, tail: 5, since: undefined, timestamps: false, prefix: undefined };
async function followFor(session: Session, name: string, milliseconds: number): Promise<number> {
  const stop = new AbortController();
  session.clock.timer(milliseconds, () => { stop.abort(); });
  return followLogs(session, await logSource(session.runs, name, undefined), { ...someLogs, follow: true }, stop.signal);
}
const reading: Readonly<Record<string, (session: Session, run: string) => Promise<unknown>>> = {
  'status': (session) => showStatus(session, { name: undefined, output: 'text', watch: false }),
  'status of a run': (session, name) => showStatus(session, { name, output: 'text', watch: false }),
  'plan': (session) => showPlan(session, { output: 'text', all: true, dryRun: 'none', failOnChanges: false, depth: undefined }, { environment: {}, sources: [], unreadable: [] }),
  'why': (session) => explainWhy(session, { name: 'etl', step: undefined, output: 'text' }),
  'why of a run': (session, name) => explainWhy(session, { name, step: undefined, output: 'text' }),
  'logs': (session, name) => logs(session, { name, step: undefined }, { ...someLogs, follow: false }),
  'logs --follow': (session, name) => followFor(session, name, 5_000),
  'wait': (session, name) => waitFor(session, wantedOf(name, { for: 'succeeded', timeout: 5_000 })),
};
const asking = async (session: Session, more: WaitOptions): Promise<number> => tellSubmitted(session, await submitRun({ runs: session.runs, random }, { target: { kind: 'workflow', name: 'etl' }, given: { assignments: [], document: {} }, key: undefined }), { timeout: 5_000, ...more });
const acting: typeof reading = {
  'run': (session) => asking(session, { wait: true }),
  'run --follow -o json': (session) => asking(session, { follow: true, output: 'json' }),
  approve: ({ runs }, name) => approveStep(runs, name, { step: 'may-i', word: 'approved' }),
  suspend: ({ runs }, name) => suspendRun(runs, name),
  resume: async ({ runs }, name) => [await suspendRun(runs, name), await resumeRun(runs, name)],
  cancel: ({ runs }, name) => cancelRun(runs, name, { reason: 'x' }),
};

/** A run that has an approval and an Indexed Job under way; from then on the Role counts. */
async function underWay(rights: readonly string[]): Promise<{ line: CommandLine; run: string; asked: Set<string> }> {
  const scene = new WorkflowScene({ spec: { trigger: { onChange: true, onRequest: true }, concurrency: { max: 2 }, steps: [step('each', { forEach: { count: 3 } }), step('may-i', { approve: { message: 'go?' } })] }, pods: { each: { runs: 600_000 } } });
  await scene.world.runUntil(() => scene.started.includes('each'));
  await scene.world.run(5_000);
  scene.controller?.kill();
  const asked = new Set<string>();
  scene.world.cluster.allows = ({ verb, group, resource, subresource }) => {
    const right = `${group}/${resource}${subresource === undefined ? '' : `/${subresource}`} ${verb}`;
    asked.add(right);
    return rights.includes(right);
  };
  return { line: new CommandLine(scene.world), run: scene.run.name, asked };
}

describe('job-chief-viewer', () => {
  it.each(Object.keys(reading))('is enough for %s', async (name) => {
    const { line, run, asked } = await underWay(viewer);
    await line.call((session) => reading[name]!(session, run));
    expect([...asked].filter((right) => !viewer.includes(right))).toEqual([]);
    if (name === 'status of a run') expect(asked).toContain('batch/jobs list');
    if (name.startsWith('logs')) expect(asked).toContain('/pods/log get');
  });

  it('is enough for what Events tell why, and without that right why tells the rest', async () => {
    const scene = new WorkflowScene({ steps: [step('a')], pods: { a: { startsAfter: 600_000 } } });
    await scene.world.run(30_000);
    const asked = new Set<string>();
    scene.world.cluster.allows = ({ verb, group, resource }) => {
      asked.add(`${group}/${resource} ${verb}`);
      return resource === 'events' ? viewer.includes(`${group}/${resource} ${verb}`) : true;
    };
    const line = new CommandLine(scene.world);
    const ask = (): Promise<unknown> => line.call((session) => explainWhy(session, { name: scene.run.name, step: 'a', output: 'text' }));
    await ask();
    expect(asked).toContain('/events list');
    scene.world.cluster.allows = ({ resource }) => resource !== 'events';
    await ask();
    expect(line.printed().filter((text) => text.startsWith('step/a is Starting'))).toHaveLength(2);
  });

  it.each(Object.keys(acting))('is not enough for %s', async (name) => {
    const { line, run } = await underWay(viewer);
    expect(await line.complaint((session) => acting[name]!(session, run))).toMatch(/cannot (patch|create) resource "configmaps"/);
  });
});

describe('job-chief-submitter', () => {
  it.each(['status', 'status of a run', 'logs', 'logs --follow', 'wait', 'run', 'run --follow -o json'])('is enough for %s', async (name) => {
    const { line, run, asked } = await underWay(submitter);
    await line.call((session) => (reading[name] ?? acting[name])!(session, run));
    expect([...asked].filter((right) => !submitter.includes(right))).toEqual([]);
  });

  it.each(['approve', 'suspend', 'resume', 'cancel'])('is not enough for %s', async (name) => {
    const { line, run } = await underWay(submitter);
    expect(await line.complaint((session) => acting[name]!(session, run))).toMatch(/cannot patch resource "configmaps"/);
  });

  it('may create ConfigMaps, and nothing else that a viewer may not', () => {
    expect(submitter.filter((right) => !viewer.includes(right))).toEqual(['/configmaps create']);
  });
});

describe('job-chief-operator', () => {
  it.each([...Object.keys(reading), ...Object.keys(acting)])('is enough for %s', async (name) => {
    const { line, run, asked } = await underWay(operator);
    await line.call((session) => (reading[name] ?? acting[name])!(session, run));
    expect([...asked].filter((right) => !operator.includes(right))).toEqual([]);
  });

  it('is enough for rerun', async () => {
    const scene = new WorkflowScene({ steps: [step('a')] });
    await scene.finished();
    scene.world.cluster.allows = ({ verb, group, resource }) => operator.includes(`${group}/${resource} ${verb}`);
    await new CommandLine(scene.world).call(({ runs }) => submitRerun({ runs, random }, { run: scene.run.name, from: undefined, key: undefined }));
    expect(scene.records).toHaveLength(2);
  });

  it('may write ConfigMaps, which the viewer may not, and nothing else more; neither may delete', () => {
    expect(operator.filter((right) => !viewer.includes(right))).toEqual(['/configmaps create', '/configmaps patch']);
    expect(viewer.filter((right) => !operator.includes(right))).toEqual([]);
    expect(viewer.every((right) => /^(\/configmaps|\/pods|\/pods\/log|batch\/jobs) (get|list|watch)$/.test(right) || ['/events list', '/resourcequotas list'].includes(right))).toBe(true);
  });

  it('is bound to nobody', () => {
    expect(readManifest('roles/operator.yaml').map(({ kind }) => kind)).toEqual(['Role']);
    expect(find(readManifest('roles/viewer.yaml'), 'Role', 'job-chief-viewer').metadata.labels).toEqual({ 'app.kubernetes.io/name': 'job-chief' });
  });
});
