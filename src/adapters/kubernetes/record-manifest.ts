/** What records and their maps of files look like when they are made, and what one write changes. */
import { isDeepStrictEqual } from 'node:util';
import type { Json, JsonObject } from '../../lib/json.ts';
import { objectAt } from '../../lib/json.ts';
import { ownedBy } from '../../plan/manifest.ts';
import { targetKey, targetOf, type RunRequest } from '../../plan/run/record.ts';
import type { NewRecord, RecordChange } from '../../reconcile/record-ports.ts';
import {
  approvalsAnnotation, cancelAnnotation, filesMapSuffix, instanceLabel, jobKindLabel, managedBy, managedByLabel, messageAnnotation, nameAnnotation, nameLabel,
  recordLabel, requestAnnotation, resultAnnotation, runLabel, settledAnnotation, stateLabel, suspendAnnotation,
} from '../../spec/keys.ts';
import type { DataPatch } from './record-codec.ts';
import { recordRole } from './project-record.ts';
import { apiVersionOf, configMaps } from './resources.ts';

interface Owner {
  readonly name: string;
  readonly uid: string;
}

/** A record as it begins: queued, or running where its spec is frozen already. */
export function recordManifest(record: NewRecord, content: DataPatch, instance: string): JsonObject {
  const { kind, name } = targetKey(record.request);
  return {
    ...head,
    metadata: {
      name: record.name,
      labels: { [recordLabel]: recordRole, ...common(instance), [jobKindLabel]: kind, [nameLabel]: name, [stateLabel]: record.data === undefined ? 'Queued' : 'Running' },
      annotations: {
        [requestAnnotation]: JSON.stringify(record.request),
        [nameAnnotation]: targetOf(record.request).name,
        ...(record.message && { [messageAnnotation]: JSON.stringify(record.message) }),
      },
      ...(record.owner === undefined ? {} : { ownerReferences: [ownerReference(record.owner)] }),
    },
    data: { ...content.data },
    ...(Object.keys(content.binaryData).length === 0 ? {} : { binaryData: { ...content.binaryData } }),
  };
}

/** The map that the run's pods mount: all of it follows from the record. */
export function filesManifest(record: Owner & { readonly ownerless?: true }, files: Readonly<Record<string, string>>, instance: string): JsonObject {
  return {
    ...head,
    metadata: {
      name: `${record.name}${filesMapSuffix}`,
      labels: { [recordLabel]: 'files', ...common(instance), [runLabel]: record.name },
      ...ownedBy(record),
    },
    data: { ...files },
    immutable: true,
  };
}

/** A merge patch that touches nothing but what the change says. */
export function recordPatch(target: { readonly uid: string; readonly resourceVersion: string }, change: RecordChange, content: DataPatch): JsonObject {
  const annotations = given({ [resultAnnotation]: change.result && JSON.stringify(change.result), [cancelAnnotation]: change.cancel, [approvalsAnnotation]: change.approvals, [suspendAnnotation]: change.suspend, [settledAnnotation]: change.settled && JSON.stringify(change.settled) });
  return {
    metadata: {
      uid: target.uid,
      resourceVersion: target.resourceVersion,
      ...given({ labels: change.phase && { [stateLabel]: change.phase }, annotations: filled(annotations), ownerReferences: change.owner && [ownerReference(change.owner)] }),
    },
    ...given({ data: filled({ ...content.data }), binaryData: filled({ ...content.binaryData }) }),
  };
}

/**
 * Whether a record that has the name is the one that was to be made. Parameters count only where the requester chose the
 * name: everywhere else it follows from the origin alone. Priority and retention may have been edited between two tries,
 * and everything else of a Run, which is known by what defines it.
 */
export function isSameRun(found: { readonly request: RunRequest | undefined; readonly parameters: JsonObject }, wanted: NewRecord): boolean {
  if (wanted.request.run !== undefined) return found.request?.run !== undefined && found.request.source === wanted.request.source;
  if (found.request === undefined || !isDeepStrictEqual(originOf(found.request), originOf(wanted.request))) return false;
  return wanted.request.trigger !== 'request' || isDeepStrictEqual(found.parameters, objectAt(json({ parameters: wanted.parameters }), 'parameters'));
}

const head = { apiVersion: apiVersionOf(configMaps), kind: configMaps.kind };

function common(instance: string): Record<string, string> {
  return { [managedByLabel]: managedBy, [instanceLabel]: instance };
}

/** No blockOwnerDeletion: some clusters let only those set it who may change finalizers. */
function ownerReference({ name, uid }: Owner): JsonObject {
  return { ...head, name, uid, controller: true };
}

function originOf({ priority: _priority, retention: _retention, ...origin }: RunRequest): JsonObject {
  // The text of the Queue may have been edited between two tries, too: queue and message are in the name.
  return json(origin.trigger === 'message' ? { ...origin, specHash: undefined } : origin);
}

/** As it looks when it comes back: without members that are undefined. */
function json(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}

function filled<Values extends object>(values: Values): Values | undefined {
  return Object.keys(values).length === 0 ? undefined : values;
}

function given(values: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
