/** Settings of a connection to Amazon SQS, or to what speaks its protocol. */
import { bothOrNone, Broken, required, type Values } from './folder-values.ts';

/** Where the queues are, and who asks. */
export interface SqsSettings {
  readonly type: 'sqs';
  readonly region: string;
  /** URL in place of the region's own. */
  readonly endpoint: string | undefined;
  /** undefined: whatever the usual chain of AWS finds: a role of the ServiceAccount, environment variables, the instance. */
  readonly credentials: SqsCredentials | undefined;
}
export interface SqsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Throws Broken. */
export function sqsSettings(values: Values): SqsSettings {
  const region = required(values, 'region', '');
  if (!/^[a-z0-9-]{1,64}$/.test(region)) throw new Broken('`region` must be the name of a region, such as eu-central-1');
  return { type: 'sqs', region, endpoint: endpointOf(values.get('endpoint')), credentials: credentialsOf(values) };
}

function endpointOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') throw new Broken('`endpoint` must look like https://HOST:PORT');
  return text;
}

function credentialsOf(values: Values): SqsCredentials | undefined {
  bothOrNone(values, ['access-key-id', 'secret-access-key']);
  const [accessKeyId, secretAccessKey, sessionToken] = [values.get('access-key-id'), values.get('secret-access-key'), values.get('session-token')];
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    if (sessionToken !== undefined) throw new Broken('`session-token` needs `access-key-id` and `secret-access-key` beside it');
    return undefined;
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}
