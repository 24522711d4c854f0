/** What a Job wrote to `$JOB_CHIEF_OUTPUT`, for queues that keep it with the message. */
import type { Json, JsonObject } from '../../lib/json.ts';
import type { ObservedJob, StepPodFacts } from '../observed.ts';
import type { MessageJobView } from './carrier.ts';
import { parseOutputs } from '../run/output-text.ts';

/** The kubelet keeps so many bytes of each message, and so many of all messages of a pod, shared out evenly. */
const mostOfContainer = 4096;
const mostOfPod = 12 * 1024;

/**
 * All names that its containers wrote; undefined: none, or no pod is left that could tell. The work is done whatever it
 * wrote, so what cannot be read is said in the place of outputs.
 */
export function outputOf(job: ObservedJob & Pick<MessageJobView, 'outputs'>): JsonObject | undefined {
  if (job.outputs) return job.outputs;
  const written: (readonly [string, Json])[] = [];
  for (const pod of job.pods) {
    for (const { container, text } of pod.step?.messages ?? []) {
      const entries = entriesOf(text, pod.step);
      if (typeof entries === 'string') return { outputProblem: `container "${container}" ${entries}` };
      written.push(...entries);
    }
  }
  return written.length === 0 ? undefined : Object.fromEntries(written);
}

function entriesOf(text: string, pod: StepPodFacts | undefined): readonly (readonly [string, Json])[] | string {
  const size = Buffer.byteLength(text);
  const limit = Math.min(mostOfContainer, Math.floor(mostOfPod / Math.max(pod?.containers ?? 1, 1)));
  // What is longer was cut without a word, and what is exactly as long looks no different.
  if (size >= limit) return `wrote ${limit} bytes of outputs or more, and Kubernetes keeps no more than ${limit}`;
  const parsed = parseOutputs(text);
  return 'problem' in parsed ? `wrote ${size} bytes that are not outputs` : parsed.entries;
}
