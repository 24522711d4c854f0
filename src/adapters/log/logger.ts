/** The Log port over pino: one JSON object per line on standard output, nothing secret in it. */
import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import { asError } from '../../lib/clock.ts';
import type { Log } from '../../reconcile/ports.ts';
import { scrub, scrubText } from './scrub.ts';
import { standardOutput } from './turn-lines.ts';

/** Lowest level that is written. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogOptions {
  readonly level: LogLevel;
  /** Lines for people at a terminal; JSON all the same where pino-pretty is not installed. */
  readonly pretty: boolean;
  /** On every line. */
  readonly instance: string;
  readonly namespace: string;
  /** Where lines go; standard output unless given. */
  readonly destination?: DestinationStream;
}

export async function createLog(options: LogOptions): Promise<Log> {
  const plain = options.destination ?? standardOutput();
  const pretty = options.pretty ? await prettyStream(plain) : undefined;
  const logger = pino(
    {
      level: options.level,
      base: { instance: options.instance, namespace: options.namespace },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Errors are plain objects by then; pino's own serializer would rename them.
      serializers: { err: (error: unknown) => error },
    },
    pretty?.stream ?? plain,
  );
  const log = wrap(logger);
  if (pretty?.missing) log.warn({ err: pretty.missing }, 'pino-pretty is not installed, logging JSON');
  return log;
}

function wrap(logger: Logger): Log {
  const write = (level: LogLevel) => (fields: object, message: string): void => {
    if (!logger.isLevelEnabled(level)) return;
    const safe = scrub(fields instanceof Error ? { err: fields } : fields);
    logger[level](safe, scrubText(message));
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** In this thread: a worker of pino's own would need its files beside the bundle. */
async function prettyStream(destination: DestinationStream): Promise<{ stream: DestinationStream | undefined; missing: Error | undefined }> {
  try {
    const { prettyFactory } = await import('pino-pretty');
    const prettify = prettyFactory({ translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname,instance,namespace' });
    return { stream: { write: (line) => { destination.write(prettify(line)); } }, missing: undefined };
  } catch (error) {
    return { stream: undefined, missing: asError(error) };
  }
}
