/** What goes wrong with a RabbitMQ, in the words that a spec's status can carry. */
import type { SourceProblem } from '../../../plan/messages/message.ts';
import type { AmqpSettings } from '../amqp-settings.ts';
import { codeOf, messageOf, withoutSecret } from '../error-text.ts';

export class AmqpProblem extends Error {
  readonly problem: SourceProblem;
  /** Name of the reply code of AMQP, or the code of the network or of TLS; undefined where there is none. */
  readonly code: string | undefined;

  constructor(problem: SourceProblem, message: string, code?: string) {
    super(message);
    this.name = 'AmqpProblem';
    this.problem = problem;
    this.code = code;
  }
}

/** Where it went wrong. */
export interface Place {
  readonly settings: AmqpSettings;
  readonly host: { readonly host: string; readonly port: number };
}

/** An error of the client or the server, explained; the password never comes out, whatever the server echoes. */
export function explain(error: unknown, { settings, host }: Place): AmqpProblem {
  if (error instanceof AmqpProblem) return error;
  const code = codeOf(error);
  const message = messageOf(error);
  const [problem, text] = byReplyCode(code, message) ?? byNetwork(code, message, `${host.host}:${host.port}`);
  return new AmqpProblem(problem, withoutSecret(text, settings.password), code);
}

type Explanation = readonly [problem: SourceProblem, text: string];

/** What the server answered, by the reply code of AMQP. Its texts name vhost, queue and user, and how a queue was declared. */
function byReplyCode(code: string | undefined, message: string): Explanation | undefined {
  const text = serverText(message);
  const problem = code === undefined ? undefined : replies[code];
  return problem === undefined ? undefined : [typeof problem === 'string' ? problem : problem(text), text];
}

const replies: Readonly<Record<string, SourceProblem | ((text: string) => SourceProblem)>> = {
  // The same code for rights that are missing, and for a queue that another consumer has for itself.
  ACCESS_REFUSED: (text) => (/exclusive use/.test(text) ? 'QueueRefused' : 'QueueForbidden'),
  NOT_ALLOWED: (text) => (/not found|is down/.test(text) ? 'QueueNotFound' : 'QueueForbidden'),
  // The same code for a queue that is there, on a node of the cluster that is not.
  NOT_FOUND: (text) => (/is down or inaccessible|crashed and failed to restart/.test(text) ? 'QueueUnreachable' : 'QueueNotFound'),
  PRECONDITION_FAILED: 'QueueRefused',
  RESOURCE_LOCKED: 'QueueRefused',
  NOT_IMPLEMENTED: 'QueueUnsupported',
  VERSION_MISMATCH: 'QueueUnsupported',
  CONNECTION_FORCED: 'QueueUnreachable',
  INTERNAL_ERROR: 'QueueUnreachable',
  RESOURCE_ERROR: 'QueueUnreachable',
};

/** The client puts the method before the server's text, and `undefined` where there is none. */
function serverText(message: string): string {
  return message.replace(/^(?:[A-Z][A-Za-z]+|undefined): (?=[A-Z_]+ - )/, '');
}

/** Errors of Node and of the client itself. */
function byNetwork(code: string | undefined, message: string, where: string): Explanation {
  const ofTls = byTls(code ?? '', message, where);
  if (ofTls) return ofTls;
  const host = where.replace(/:\d+$/, '');
  const texts: Readonly<Record<string, string>> = {
    ECONNREFUSED: `${where} refuses connections`,
    ENOTFOUND: `there is no host ${host}`,
    EAI_AGAIN: `the name ${host} cannot be looked up now`,
    CONNECTION_TIMEOUT: `${where} did not answer in time`,
    SOCKET_TIMEOUT: `${where} did not answer in time`,
    TIMEOUT: `${where} did not answer in time`,
    CONN_CLOSE: `${where} closed the connection`,
    READ_END: `${where} closed the connection`,
    ECONNRESET: `${where} closed the connection`,
  };
  return ['QueueUnreachable', texts[code ?? ''] ?? `${where}: ${message}`];
}

function byTls(code: string, message: string, where: string): Explanation | undefined {
  if (code.includes('ALERT')) return ['QueueForbidden', `${where} does not accept our certificate: ${message}`];
  if (/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/.test(code)) return ['QueueUnreachable', `${where} does not speak TLS, which the connection asks for`];
  if (code.startsWith('ERR_OSSL')) return ['QueueUnreachable', `the certificates of the connection cannot be used: ${message}`];
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) return ['QueueUnreachable', `the certificate of ${where} was not accepted: ${message}`];
  return undefined;
}
