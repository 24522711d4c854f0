/** A run that is kept in memory has no ConfigMap that could own what it makes. */
import { describe, expect, it } from 'vitest';
import { filesManifest } from '../../../../src/adapters/kubernetes/record-manifest.ts';
import { objectAt } from '../../../../src/lib/json.ts';
import { stepJob } from '../../../../src/plan/run/step-job.ts';
import { aStepJobInput } from '../../../support/steps.ts';

const input = aStepJobInput({ each: { count: 2, values: ['a', 'b'] } });
const ownersOf = (manifest: unknown): unknown => objectAt(manifest, 'metadata')['ownerReferences'];

describe('what a run without a ConfigMap makes', () => {
  const { manifest, map, jobName } = stepJob({ ...input, record: { ...input.record, ownerless: true } });

  it('has no owner, Jobs and maps alike', () => {
    expect(ownersOf(manifest)).toBeUndefined();
    expect(map).toBeDefined();
    expect(ownersOf(map)).toBeUndefined();
    expect(ownersOf(filesManifest({ name: 'etl-1', uid: 'u', ownerless: true }, { 'run.sh': 'true' }, 'default'))).toBeUndefined();
  });

  it('is otherwise the same', () => {
    const usual = stepJob(input);
    expect(jobName).toBe(usual.jobName);
    expect(ownersOf(usual.manifest)).toHaveLength(1);
    expect({ ...manifest, metadata: { ...objectAt(manifest, 'metadata'), ownerReferences: ownersOf(usual.manifest) } }).toEqual(usual.manifest);
  });
});
