/** GET /api/v1/runs/{name}/logs: what the containers of a run write, as text, as JSON lines or as events. */
import { Type } from 'typebox';
import { durationPattern, parseDuration } from '../../../lib/duration.ts';
import { RunLogReader, type RunLogItem, type RunLogQuery } from '../../../reconcile/api/run-log-reader.ts';
import type { RunPod } from '../../../reconcile/api-ports.ts';
import type { ApiDeps } from './deps.ts';
import { eventText, heartbeat, orSilence } from './event-stream.ts';
import { runName } from './fields.ts';
import { route, type Route } from './route.ts';
import { storedRun } from './runs.ts';
import type { StreamWriter } from './stream-writer.ts';

const query = Type.Object(
  {
    step: Type.Optional(Type.String({ minLength: 1, maxLength: 253, description: 'Only pods of this step.' })),
    pod: Type.Optional(Type.String({ minLength: 1, maxLength: 253, description: 'Only this pod.' })),
    container: Type.Optional(Type.String({ minLength: 1, maxLength: 63, description: 'Only containers of this name; init containers have one as well.' })),
    follow: Type.Optional(Type.Boolean({ default: false, description: 'Until the run is over, with pods that come later.' })),
    tail: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'Only the last lines of each container.' })),
    since: Type.Optional(Type.String({ pattern: durationPattern, description: 'Nothing older than this, such as `10m`.', errorMessage: 'must be a duration such as "90s", "1h30m" or "7d"' })),
    timestamps: Type.Optional(Type.Boolean({ default: false, description: 'In text: each line begins with its time. The other forms have it anyhow.' })),
    prefix: Type.Optional(Type.Boolean({ default: true, description: 'In text: each line begins with its pod and container.' })),
  },
  { additionalProperties: false },
);

interface LogDeps {
  readonly deps: ApiDeps;
  readonly form: Form;
}

/** How items are written. */
interface Form {
  readonly item: (item: RunLogItem) => string;
  readonly heartbeat: string;
  readonly end: string;
  readonly closing: string;
}

const types = ['text/plain', 'application/x-ndjson', 'text/event-stream'] as const;

export function logRoutes(deps: ApiDeps): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/v1/runs/{name}/logs',
      id: 'getLogs',
      tag: 'runs',
      summary: 'Read logs',
      description:
        'Of the containers of all pods of the run that are there, init containers first; of ended ones that were removed nothing is left. What has not started says why: in text in lines that begin with `# `, in JSON lines as `note`, as events as `note`. While nothing is written, a heartbeat goes out every 15 seconds where the log is followed.',
      role: 'read',
      params: Type.Object({ name: runName }),
      query,
      answers: { 200: { description: 'Lines as they are read.', types } },
      problems: [404, 501, 503],
      handle: async ({ params: { name }, query: wanted, accepted }) => {
        await storedRun(deps, name);
        const { step, pod, container, follow = false, tail, since } = wanted;
        const form = formOf(accepted, { timestamps: wanted.timestamps === true, prefix: wanted.prefix !== false });
        const reading: RunLogQuery = { run: name, step, pod, container, follow, tail, since: since === undefined ? undefined : parseDuration(since) };
        return { type: `${accepted}; charset=utf-8`, stream: (writer) => send({ deps, form }, reading, writer) };
      },
    }),
  ];
}

async function send({ deps, form }: LogDeps, reading: RunLogQuery, writer: StreamWriter): Promise<void> {
  const reader = new RunLogReader(deps, reading, writer.ended);
  const ended = reader.run();
  for (;;) {
    const { filled } = reader;
    const item = reader.take();
    if (item) await writer.write(form.item(item));
    else if (reader.over || writer.ended.aborted) break;
    else if (!(await orSilence(deps.clock, Promise.race([filled, ended]), writer)) && reading.follow) await writer.write(form.heartbeat);
  }
  await ended;
  await writer.write(writer.stopping.aborted ? form.closing : form.end);
}

function formOf(type: string, text: { readonly timestamps: boolean; readonly prefix: boolean }): Form {
  switch (type) {
    case 'application/x-ndjson':
      return { item: (item) => `${JSON.stringify(documentOf(item))}\n`, heartbeat: '\n', end: '', closing: `${JSON.stringify({ closing: stopping })}\n` };
    case 'text/event-stream':
      return { item: (item) => eventText({ event: item.kind, data: documentOf(item) }), heartbeat, end: eventText({ event: 'end', data: {} }), closing: eventText({ event: 'closing', data: { message: stopping } }) };
    default:
      return { item: (item) => textOf(item, text), heartbeat: '# …\n', end: '', closing: `# ${stopping}\n` };
  }
}

const stopping = 'this replica is stopping: connect again';

function documentOf(item: RunLogItem): object {
  const place = { ...podOf(item.pod), container: item.container ?? null };
  return item.kind === 'line' ? { ...place, time: item.time ?? null, line: item.text, ...(item.cut ? { cut: true } : {}) } : { ...place, note: item.message };
}

function podOf(pod: RunPod | undefined): object {
  return pod ? { step: pod.step, attempt: pod.attempt, index: pod.index ?? null, pod: pod.name } : { step: null, attempt: null, index: null, pod: null };
}

function textOf(item: RunLogItem, { timestamps, prefix }: { readonly timestamps: boolean; readonly prefix: boolean }): string {
  const place = [item.pod?.name, item.container].filter((part) => part !== undefined).join('/');
  if (item.kind === 'note') return `# ${place === '' ? '' : `${place}: `}${item.message.replaceAll('\n', ' ')}\n`;
  const head = `${prefix ? `[${place}] ` : ''}${timestamps && item.time !== undefined ? `${item.time} ` : ''}`;
  return `${head}${item.text}${item.cut ? '… (cut)' : ''}\n`;
}
