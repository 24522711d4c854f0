/**
 * Queues whose Jobs may take longer than a message can be held. The real limit is read from the queue when the Queue runs;
 * here it is what pg-boss and RabbitMQ have unless somebody set another, so it is no more than a warning.
 */
import { formatDuration } from '../../lib/duration.ts';
import { isObject } from '../../lib/json.ts';
import { longestHold } from '../../plan/messages/lease-limit.ts';
import { readDocument } from '../../spec/document.ts';
import { pathText } from '../../spec/field-path.ts';
import { specKey } from '../../spec/keys.ts';
import { problemCodes } from '../../spec/problem-codes.ts';
import type { Problem } from '../../spec/problem.ts';
import type { MessageQueueSpec, QueueSpec } from '../../spec/queue.ts';
import type { QueueSource } from '../../spec/queue-source.ts';
import type { LintedSpec } from './requests.ts';

interface UsualLimit {
  /** Milliseconds. */
  readonly limit: number;
  /** What sets another. */
  readonly setting: string;
}

/** SQS needs none: what can be renewed for twelve hours is lost, not refused. */
const usual: Readonly<Record<QueueSource['type'], UsualLimit | undefined>> = {
  pgBoss: { limit: 15 * 60_000, setting: 'expireInSeconds of the queue' },
  amqp: { limit: 30 * 60_000, setting: 'consumer_timeout of RabbitMQ' },
  sqs: undefined,
};

/** One warning at most for each Queue. */
export function shortLeases(specs: readonly LintedSpec[]): Problem[] {
  return specs.flatMap((one) => {
    const { spec } = one.parsed;
    return spec?.kind === 'Queue' && holds(spec) ? problemsOf(one, spec) : [];
  });
}

/** For as long as its Jobs run: a run, whose steps have limits of their own, may take as long as it likes. */
function holds(spec: QueueSpec): spec is MessageQueueSpec {
  return spec.mode !== 'drain' && spec.perMessage.settle === 'onCompletion' && spec.run === undefined;
}

function problemsOf({ found }: LintedSpec, spec: MessageQueueSpec): Problem[] {
  const known = usual[spec.source.type];
  const longest = longestHold(spec);
  if (!known || (longest !== undefined && longest < known.limit)) return [];
  const document = readDocument(found.input.data[specKey] ?? '');
  const hasTimeout = isObject(document.value) && Object.hasOwn(document.value, 'timeout');
  const finding = { code: 'LeaseTooShort', message: messageOf(spec, known, longest), path: [hasTimeout ? 'timeout' : spec.mode], part: hasTimeout ? 'value' : 'key' } as const;
  const position = { file: found.input.file, ...document.place(finding) };
  const mend = longest === undefined ? 'set timeout, and with it' : 'lower timeout or';
  return [found.place({ code: finding.code, severity: problemCodes.LeaseTooShort, message: finding.message, path: pathText(finding.path), position, hint: `${mend} startTimeout, raise ${known.setting}, or set settle: onJobCreated` })];
}

function messageOf({ perMessage: { retry } }: MessageQueueSpec, { limit, setting }: UsualLimit, longest: number | undefined): string {
  const unless = `a message can be held for ${formatDuration(limit)}, unless ${setting} says otherwise`;
  if (longest === undefined) return `${unless}, and without a timeout its Job may take longer: nothing would be taken from the queue`;
  const what = retry.attempts > 1 ? `${retry.attempts} attempts with startTimeout, timeout and delays` : 'startTimeout and timeout';
  return `${unless}, and ${what} come to ${formatDuration(longest)}: nothing would be taken from the queue`;
}
