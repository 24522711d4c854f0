/** Reads a Run: schema, rules, build. */
import { objectAt, stringAt, type JsonObject } from '../lib/json.ts';
import type { Identity } from './common-build.ts';
import { withoutHead, type KindInput, type KindReading } from './kind-reading.ts';
import { runNotes } from './run-notes.ts';
import { runJsonSchema, runTargets, type RunDocument } from './run-schema.ts';
import type { RunSpec, RunTarget } from './run.ts';
import { schemaFindings } from './schema-findings.ts';
import { validator } from './validate.ts';
import { unreplacedFindings } from './workflow-references.ts';
import { exactlyOne } from './workflow-rules.ts';

const errorsOf = validator(runJsonSchema);

/** What steers the run, and is no part of what is asked for: who changes it has not made another request. */
export const runSwitches: readonly string[] = ['cancel', 'approvals'];

export function readRun({ value }: KindInput): KindReading {
  return {
    findings: [
      ...withoutHead(schemaFindings(errorsOf(value), value, runNotes)),
      ...exactlyOne(value, [], runTargets, 'template: NAME runs a Template, workflow: NAME a Workflow'),
      ...unreplacedFindings(value, [['parameters'], ['template'], ['workflow'], ['cancel']], 'values of a Run are used as they are; write them out'),
    ],
    files: [],
    build: (identity) => buildRun(value, identity),
  };
}

function buildRun(value: JsonObject, { name, hash }: Identity): RunSpec {
  const { approvals = {}, priority = 0, suspend = false, cancel = false } = value as unknown as RunDocument;
  return { kind: 'Run', name, hash, target: targetOf(value), parameters: objectAt(value, 'parameters'), cancel: cancelText(cancel), approvals, priority, suspend };
}

function targetOf(value: JsonObject): RunTarget {
  const kind = runTargets.find((field) => Object.hasOwn(value, field)) ?? 'template';
  return { kind, name: stringAt(value, kind) ?? '' };
}

function cancelText(cancel: string | boolean): string | undefined {
  return typeof cancel === 'string' ? cancel : cancel ? 'cancel is true in its Run' : undefined;
}
