/** Whether the content that a Job asks for is certainly there. */
import { hasStarted } from '../job-state.ts';
import type { MessagesView } from './observed.ts';
import type { MessageJobView } from './view.ts';

/** No container starts without its Secret, and no batch is let go without it. */
export function isStored(job: MessageJobView, { posted }: Pick<MessagesView, 'posted'>): boolean {
  return job.carrier?.kind === 'index' || job.message.note.bare === true || posted.has(job.uid) || hasStarted(job);
}
