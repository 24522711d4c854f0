import { describe, expect, it } from 'vitest';
import { explain, SqsError } from '../../../../src/adapters/queues/sqs/sqs-error.ts';
import type { SqsSettings } from '../../../../src/adapters/queues/sqs-settings.ts';

const settings: SqsSettings = { type: 'sqs', region: 'eu-central-1', endpoint: undefined, credentials: { accessKeyId: 'AKID', secretAccessKey: 'very-secret-key', sessionToken: 'session-secret' } };
const answered = (name: string, message = 'as it is', status = 400): Error => Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });
const failed = (code: string, message = 'it went wrong'): Error => Object.assign(new Error(message), { code });

describe('errors of SQS', () => {
  it.each<[string, Error, Partial<SqsError>]>([
    ['a queue that is not there', answered('QueueDoesNotExist'), { problem: 'QueueNotFound', kind: 'other' }],
    ['the same in the protocol before', answered('AWS.SimpleQueueService.NonExistentQueue'), { problem: 'QueueNotFound' }],
    ['a handle of what is visible again', answered('MessageNotInflight'), { kind: 'handle' }],
    ['a handle that is none', answered('ReceiptHandleIsInvalid'), { kind: 'handle' }],
    ['a handle as SQS refuses it in practice', answered('InvalidParameterValue', 'Value x for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.'), { kind: 'handle' }],
    ['a handle of a FIFO queue whose time is over', answered('InvalidParameterValue', 'Value x for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.'), { kind: 'handle' }],
    ['more than twelve hours', answered('InvalidParameterValue', 'Value 60 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds].'), { kind: 'limit' }],
    ['a message that is too large', answered('InvalidParameterValue', 'One or more parameters are invalid. Reason: Message must be shorter than 262144 bytes.'), { kind: 'size' }],
    ['a parameter that SQS does not know', answered('InvalidParameterValue', 'Value 99 for parameter WaitTimeSeconds is invalid.'), { problem: 'QueueUnsupported', kind: 'other' }],
    ['being asked too often', answered('RequestThrottled'), { kind: 'throttled' }],
    ['the same by the common code', answered('ThrottlingException'), { kind: 'throttled' }],
    ['too much in flight', answered('OverLimit', 'Too many messages in flight'), { kind: 'throttled' }],
    ['no right', answered('AccessDenied', 'User is not authorized', 403), { problem: 'QueueForbidden' }],
    ['no right, by the common code', answered('AccessDeniedException', 'User is not authorized'), { problem: 'QueueForbidden' }],
    ['a key that does not exist', answered('InvalidClientTokenId', 'The security token is invalid', 403), { problem: 'QueueForbidden' }],
    ['a token that is over', answered('ExpiredToken', 'The security token is expired', 403), { problem: 'QueueForbidden' }],
    ['a wrong key', answered('SignatureDoesNotMatch', 'The signature does not match.\nThe canonical string should have been\n…', 403), { problem: 'QueueForbidden', message: 'SQS refuses: The signature does not match.' }],
    ['a 403 of something between', answered('UnknownError', 'blocked', 403), { problem: 'QueueForbidden' }],
    ['no credentials', answered('CredentialsProviderError', 'Could not load credentials from any providers', 0), { problem: 'QueueForbidden', message: 'there are no credentials: Could not load credentials from any providers' }],
    ['an error of SQS itself', answered('InternalFailure', 'try later', 500), { problem: 'QueueUnreachable', kind: 'other', message: 'InternalFailure: try later' }],
    ['nobody who listens', failed('ECONNREFUSED'), { problem: 'QueueUnreachable', message: 'SQS in eu-central-1 refuses connections' }],
    ['no such host', failed('ENOTFOUND'), { problem: 'QueueUnreachable', message: 'there is no host of SQS in eu-central-1' }],
    ['no answer', Object.assign(new Error('given up'), { name: 'AbortError' }), { problem: 'QueueUnreachable', message: 'SQS in eu-central-1 did not answer in time' }],
    ['a certificate of nobody', failed('SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate'), { problem: 'QueueUnreachable', message: 'the certificate of SQS in eu-central-1 was not accepted: self-signed certificate' }],
    ['a host with several addresses', Object.assign(new AggregateError([failed('ECONNREFUSED'), failed('ECONNREFUSED')], ''), {}), { message: 'SQS in eu-central-1 refuses connections' }],
  ])('%s', (_, error, expected) => {
    expect(explain(error, settings)).toMatchObject(expected);
  });

  it('name the endpoint where it is another', () => {
    expect(explain(failed('ECONNREFUSED'), { ...settings, endpoint: 'http://queues.example:4566' }).message).toBe('http://queues.example:4566 refuses connections');
  });

  it('never show a secret, whatever the server echoes', () => {
    const { message } = explain(answered('Strange', 'signed with very-secret-key and session-secret', 500), settings);
    expect(message).toBe('Strange: signed with *** and ***');
  });

  it('that were explained stay as they are', () => {
    const error = new SqsError('QueueNotFound', 'there is none');
    expect(explain(error, settings)).toBe(error);
  });
});
