/** A raw record as the API server sends it. */
import type { JsonObject } from '../../../../src/lib/json.ts';

export function aRawRecord(metadata: JsonObject = {}, content: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'nightly-abc',
      uid: 'record-uid',
      resourceVersion: '123',
      creationTimestamp: '2026-01-02T03:04:05Z',
      labels: { 'app.kubernetes.io/managed-by': 'job-chief', 'job-chief/instance': 'blue', 'job-chief-record': 'run', 'job-chief/kind': 'workflow', 'job-chief/name': 'nightly', 'job-chief/state': 'Failed' },
      annotations: {
        'job-chief/name': 'nightly',
        'job-chief/request': '{"workflow":"nightly","trigger":"step","priority":3,"parent":{"run":"weekly-x","uid":"u","step":"s","attempt":1,"depth":1},"retention":{"succeeded":{"count":3},"failed":{"age":604800000}}}',
        'job-chief/result': '{"outcome":"failed","reason":"StepFailed","message":"load failed","startedAt":1,"finishedAt":2,"failedSteps":["load"],"outputs":{"rows":7}}',
        'job-chief/cancel': 'wrong day',
        'job-chief/suspend': 'true',
        'job-chief/approvals': 'deploy,load=rejected',
      },
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'nightly', uid: 'spec-uid', controller: true }],
      managedFields: [{ manager: 'job-chief', fieldsV1: { 'f:metadata': {} } }],
      ...metadata,
    },
    data: {
      'spec.yaml': 'kind: Workflow',
      'parameters.json': '{"day":"monday"}',
      'state.json': '{"startedAt":1,"steps":{"load":{"outcome":"failed","at":2,"attempts":[{"job":"j","at":1,"exitCode":3,"failedItems":[1]}],"items":[{"attempts":[]}],"each":{"count":2,"values":[1,null]},"outputs":{"a":[]}}},"undo":{},"stopping":{"mode":"stop","reason":"r","message":"m","at":2},"end":{"outcome":"failed","reason":"r","message":"m","at":3,"failedSteps":["load"]}}',
      ...content,
    },
  };
}
