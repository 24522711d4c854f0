/**
 * The lowest port of the Kubernetes adapter: one HTTP exchange with an API server. undici implements it for real, the
 * simulated cluster in memory, so that client, reflector and stores are the same code in production and in simulation.
 */
import type { Json } from '../../lib/json.ts';
import type { Priority } from './request-lanes.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Absolute path, such as `/apis/batch/v1/namespaces/etl/jobs/extract-abc`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Json;
  /** For PATCH, such as `application/merge-patch+json`; JSON otherwise. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** Of a stream: the answer is text, and its beginning may be as long in coming as its lines. */
  readonly text?: boolean;
  /** `urgent`: on connections of its own, behind nothing and nobody. For what keeps a Lease. */
  readonly priority?: Priority | 'urgent';
}

export interface ApiResponse {
  readonly status: number;
  /** Lower-case names; repeated headers (`warning`) joined as the server sent them, one array entry each. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Parsed JSON; a string where the server sent something else. */
  readonly body: Json;
}

export interface ApiStream {
  readonly status: number;
  readonly headers: ApiResponse['headers'];
  /**
   * One parsed JSON document per line of a watch; of text, its pieces as they come. Ends when the server ends the
   * stream, throws when the connection breaks. With a status other than 200 it yields the error's one document.
   */
  readonly lines: AsyncIterable<Json>;
  /** Ends the exchange; `lines` then ends or throws soon. */
  close(): void;
}

export interface Transport {
  /** Rejects only when no answer was received: then nobody knows whether the request took effect. */
  request(request: ApiRequest): Promise<ApiResponse>;
  stream(request: ApiRequest): Promise<ApiStream>;
}
