/**
 * A route as data: the server is built from it, requests are checked by it, answers are written by it, and the document
 * of the API tells nothing else.
 */
import type { Static, TObject, TSchema } from 'typebox';
import type { JsonObject } from '../../../lib/json.ts';
import type { Caller, Role } from './role.ts';
import type { StreamWriter } from './stream-writer.ts';

/** What a handler gets: checked, and in the types that the schemas say. */
export interface ApiRequest<Params = unknown, Query = unknown, Body = unknown> {
  readonly params: Params;
  readonly query: Query;
  /** undefined: none was sent, where it may be left out. */
  readonly body: Body;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly caller: Caller;
  /** The first media type of the route that the caller takes. */
  readonly accepted: string;
}

/** A whole answer, or one that is written piece by piece. */
export type ApiAnswer =
  | { readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>>; readonly type?: string }
  | { readonly stream: (writer: StreamWriter) => Promise<void>; readonly type: string };

/** By operation: where its parameters stand in the answer. */
export type Links = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface AnswerDocument {
  readonly description: string;
  readonly schema?: TSchema;
  /** Media types of what is no JSON. */
  readonly types?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly links?: Links;
}

export interface RouteDocument {
  readonly method: 'GET' | 'POST';
  /** As OpenAPI writes it: `/api/v1/runs/{name}`. */
  readonly path: string;
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly role: Role;
  readonly params?: TObject;
  readonly query?: TObject;
  /** Headers with a meaning of their own, beside those of every request. */
  readonly headers?: TObject;
  readonly body?: TSchema;
  /** A page that people open in a browser, which sends a token as a password. */
  readonly page?: boolean;
  /** The body may be left out. */
  readonly bodyOptional?: boolean;
  readonly answers: Readonly<Record<number, AnswerDocument>>;
  /** Statuses of problems beside those that every route has. */
  readonly problems?: readonly number[];
}

export interface Route extends RouteDocument {
  /** Rejects with ApiProblem. */
  handle(request: ApiRequest): Promise<ApiAnswer> | ApiAnswer;
}

interface Typed<Params extends TObject, Query extends TObject, Body extends TSchema> extends RouteDocument {
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  handle(request: ApiRequest<Static<Params>, Static<Query>, Static<Body>>): Promise<ApiAnswer> | ApiAnswer;
}

/** A route whose handler is typed by its schemas, which every request is checked against before. */
export function route<const Params extends TObject, const Query extends TObject, const Body extends TSchema>(typed: Typed<Params, Query, Body>): Route {
  return { ...typed, handle: (request) => typed.handle(request as ApiRequest<Static<Params>, Static<Query>, Static<Body>>) };
}

/** 200 with this. */
export function ok(body: object): ApiAnswer {
  return { status: 200, body };
}

/** As `application/json`, whatever it is: a document that is not ours to check. */
export function rawJson(body: JsonObject): ApiAnswer {
  return { status: 200, body: JSON.stringify(body), type: 'application/json; charset=utf-8' };
}
