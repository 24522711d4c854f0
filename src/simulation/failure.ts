/** Answers of the API server that are not successes, with the texts that a real one sends. */
import type { JsonObject } from '../lib/json.ts';
import { qualified, type Resource } from './objects.ts';

/** Thrown inside the simulated API server, and answered as a Status document with this code. */
export class ApiFailure extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: JsonObject;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: number, reason: string, message: string, extra: { details?: JsonObject; headers?: Record<string, string> } = {}) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = extra.details ?? {};
    this.headers = extra.headers ?? {};
  }

  get status(): JsonObject {
    return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: this.message, reason: this.reason, details: this.details, code: this.code };
  }
}

interface Named {
  readonly resource: Resource;
  readonly name: string;
}

const detailsOf = ({ resource, name }: Named): JsonObject => ({ name, ...(resource.group === '' ? {} : { group: resource.group }), kind: resource.plural });

export function notFound(what: Named): ApiFailure {
  return new ApiFailure(404, 'NotFound', `${qualified(what.resource)} "${what.name}" not found`, { details: detailsOf(what) });
}

/** Measured: while the holder of the name is being deleted, the text says so first. */
export function alreadyExists(what: Named, deleting: boolean): ApiFailure {
  const text = `${qualified(what.resource)} "${what.name}" already exists`;
  return new ApiFailure(409, 'AlreadyExists', deleting ? `object is being deleted: ${text}` : text, { details: detailsOf(what) });
}

export function conflict(what: Named, text: string): ApiFailure {
  return new ApiFailure(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(what.resource)} "${what.name}": ${text}`, { details: detailsOf(what) });
}

export const modified = 'the object has been modified; please apply your changes to the latest version and try again';

export function invalid(what: Named, causes: readonly string[]): ApiFailure {
  const kind = what.resource.group === '' ? what.resource.kind : `${what.resource.kind}.${what.resource.group}`;
  const text = causes.length === 1 ? (causes[0] ?? '') : `[${causes.join(', ')}]`;
  const details = { ...detailsOf(what), kind: what.resource.kind, causes: causes.map((message) => ({ message, field: message.split(':')[0] ?? '' })) };
  return new ApiFailure(422, 'Invalid', `${kind} "${what.name}" is invalid: ${text}`, { details });
}

export function badRequest(message: string): ApiFailure {
  return new ApiFailure(400, 'BadRequest', message);
}

export function notAcceptable(message: string): ApiFailure {
  return new ApiFailure(406, 'NotAcceptable', message);
}

export function forbidden(what: Named, text: string): ApiFailure {
  return new ApiFailure(403, 'Forbidden', `${qualified(what.resource)} "${what.name}" is forbidden: ${text}`, { details: detailsOf(what) });
}

/** History before the oldest version that is still kept. */
export function expired(message: string): ApiFailure {
  return new ApiFailure(410, 'Expired', message);
}
