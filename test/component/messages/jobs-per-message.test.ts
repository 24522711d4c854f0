/** The loads under which the bench shows job-chief beside tools that count messages and start anonymous Jobs. */
import { describe, expect, it } from 'vitest';
import { leasedKinds, simulateLeasing } from '../../../hack/dev/bench/jobs-per-message.ts';
import { loads, messagesOf } from '../../../hack/dev/bench/loads.ts';

/** Milliseconds that a container may start later than its pod needs. */
const tolerance = 5000;

describe.each(leasedKinds)('Jobs for each message of %s', (kind) => {
  it.each(loads.map((load) => [load.name, load.what, load] as const))('%s: %s: exactly one, and none without a message', async (_name, _what, load) => {
    const { jobs, empty, left, waits } = await simulateLeasing(load, kind);
    expect({ jobsPerMessage: jobs / messagesOf(load), empty, left }).toEqual({ jobsPerMessage: 1, empty: 0, left: 0 });
    expect(waits).toHaveLength(messagesOf(load));
    expect(Math.max(...waits)).toBeLessThan(load.startsAfter + tolerance);
  });
});
