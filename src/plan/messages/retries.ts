/** Whether a message gets another attempt within the same delivery, and when. */
import { delayAfter, exitCodeAllows } from '../run/retry.ts';
import type { MessageJobView, MessageView } from './view.ts';

/** `at`: milliseconds since 1970. */
export type Another = { readonly kind: 'again'; readonly at: number } | { readonly kind: 'over' };

/** After a Job that failed: by what its note says of `retry`, whatever the spec says now. */
export function anotherTry(job: MessageJobView, message: MessageView): Another {
  const { retry, tries } = job.message.note;
  const at = nextAt(job);
  if (job.cancelled || tries >= retry.attempts || !exitCodeAllows(retry.exitCodes, job.recorded?.exitCode)) return { kind: 'over' };
  return retry.within !== undefined && at > firstTryAt(job, message) + retry.within ? { kind: 'over' } : { kind: 'again', at };
}

/** Not sooner than this after a Job that failed. */
export function nextAt({ message: { note }, finished, createdAt }: MessageJobView): number {
  return (finished?.at ?? createdAt) + delayAfter(note.retry, note.tries);
}

/** When the first Job within this delivery was made, as far as it is still there. */
function firstTryAt({ createdAt, message: { note } }: MessageJobView, { jobs }: MessageView): number {
  const ofDelivery = jobs.filter(({ message: { note: other } }) => other.serial > note.serial - note.tries && (other.leasedAt === note.leasedAt || other.delivery === note.delivery));
  return Math.min(createdAt, ...ofDelivery.map((job) => job.createdAt));
}
