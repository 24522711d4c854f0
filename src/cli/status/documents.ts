/** What status shows, as data: for programs (JSON, YAML), and what the tables are made from. */
import type { Json, JsonObject } from '../../lib/json.ts';
import { isoTime } from '../../plan/iso-time.ts';
import { targetName, type RunResult } from '../../plan/run/record.ts';
import { objectAt, stringAt } from '../../lib/json.ts';
import type { CriticalPath, PathStep } from '../runs/critical-path.ts';
import type { StepView } from '../../plan/run/step-views.ts';
import { standing, type SpecView } from '../runs/spec-view.ts';
import type { ListedRun, RunDetails, Shown } from './read.ts';

/** All that is shown. */
export function documentOf(shown: Shown): JsonObject {
  if (shown.kind === 'run') return detailsDocument(shown.details);
  return { specs: shown.specs.map(specDocument), runs: shown.runs.map(runDocument) };
}

/** A spec in the overview. */
function specDocument(spec: SpecView): JsonObject {
  const { source } = spec.claim;
  const { status = {} } = spec;
  const lastRun = objectAt(status, 'lastRun');
  return {
    kind: spec.kind,
    name: spec.name,
    configMap: source.kind === 'configMap' ? source.name : undefined,
    hash: spec.claim.parsed.hash,
    ...standing(spec),
    health: stringAt(status, 'health'),
    createdAt: isoTime(source.createdAt),
    lastRun: Object.keys(lastRun).length === 0 ? undefined : lastRun,
  };
}

/** A run in a list: what its metadata tells. */
function runDocument({ record, startedAt }: ListedRun): JsonObject {
  const { request, result, commands } = record;
  return {
    name: record.name,
    uid: record.uid,
    [record.target.kind]: targetName(record),
    state: record.phase,
    request: request as unknown as JsonObject | undefined,
    createdAt: isoTime(record.createdAt),
    startedAt: startedAt === undefined ? undefined : isoTime(startedAt),
    ...(result ? resultDocument(result) : {}),
    cancel: commands.cancel,
    suspend: commands.suspend ? true : undefined,
    approvals: commands.approvals.size === 0 ? undefined : Object.fromEntries(commands.approvals),
  };
}

function resultDocument({ outcome, reason, message, finishedAt, failedSteps, outputs }: RunResult): JsonObject {
  return { finishedAt: isoTime(finishedAt), outcome, reason, message, failedSteps: [...failedSteps], outputs: outputs && { ...outputs } };
}

/** A run with its steps. */
function detailsDocument({ record, parameters, state, message, steps, path }: RunDetails): JsonObject {
  return {
    ...runDocument({ record, startedAt: state?.startedAt }),
    message,
    parameters,
    steps: steps.map(stepDocument),
    criticalPath: path && pathDocument(path),
  };
}

function stepDocument(step: StepView): Json {
  const { startedAt, ranAt, endedAt, items } = step;
  return {
    name: step.name,
    part: step.part,
    phase: step.phase,
    state: step.state,
    attempts: step.attempts,
    items: items && { succeeded: items.succeeded, all: items.all },
    startedAt: startedAt === undefined ? undefined : isoTime(startedAt),
    ranAt: ranAt === undefined ? undefined : isoTime(ranAt),
    endedAt: endedAt === undefined ? undefined : isoTime(endedAt),
    exitCode: step.exitCode,
    reason: step.reason,
    message: step.message === '' ? undefined : step.message,
    object: step.object,
  };
}

function pathDocument({ steps, sum }: CriticalPath): JsonObject {
  const seconds = (milliseconds: number): number => Math.round(milliseconds) / 1000;
  const step = ({ name, role, gap, wait, ran }: PathStep): Json => ({ name, role, gapSeconds: seconds(gap), waitSeconds: seconds(wait), runSeconds: ran === undefined ? undefined : seconds(ran) });
  return { seconds: seconds(sum), steps: steps.map(step) };
}
