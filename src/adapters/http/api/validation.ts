/** Requests against their schemas: nothing is dropped, nothing is guessed; of a query, text becomes what the schema says. */
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { lazy } from '../../../lib/lazy.ts';
import { nearest } from '../../../lib/nearest.ts';
import { isObject, objectAt } from '../../../lib/json.ts';
import { anyOf, shown } from '../../../lib/show.ts';
import { ApiProblem, type PlaceProblem } from './problem.ts';

/** As Fastify calls the parts of a request. */
export type Part = 'body' | 'querystring' | 'params' | 'headers';

const mostErrors = 50;

/** Compiles schemas, each when the first request comes. */
export class Validation {
  readonly #strict = lazy(() => newAjv(false));
  readonly #lenient = lazy(() => newAjv('array'));

  /** Throws ApiProblem for a value that does not fit; text of a query is changed in place. */
  check(schema: object, part: Part): (value: unknown) => void {
    const compiled = lazy(() => (part === 'body' ? this.#strict() : this.#lenient()).compile(schema));
    return (value) => {
      const validate = compiled();
      if (validate(value)) return;
      throw misfit(validate.errors ?? [], part);
    };
  }
}

function newAjv(coerceTypes: 'array' | false): Ajv2020 {
  const ajv = new Ajv2020({ allErrors: true, verbose: true, strict: false, coerceTypes, useDefaults: coerceTypes !== false });
  ajv.addFormat('date-time', (text: string) => isDateTime(text));
  return ajv;
}

/** RFC 3339, and a day that there is. */
export function isDateTime(text: string): boolean {
  const parts = /^(\d{4}-\d\d-\d\d)[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/.exec(text);
  const day = parts?.[1];
  if (day === undefined) return false;
  const at = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(day);
}

function misfit(errors: readonly ErrorObject[], part: Part): ApiProblem {
  const told = errors.filter(({ keyword }) => keyword !== 'oneOf' && keyword !== 'anyOf' && keyword !== 'if');
  const list = (told.length > 0 ? told : errors).slice(0, mostErrors).map((error) => placed(error, part));
  const first = list[0];
  const detail = `${part === 'body' ? 'the body does not fit' : 'the request does not fit'}: ${first?.detail ?? 'see the document of this API'}`;
  return part === 'body' ? new ApiProblem(422, 'InvalidBody', detail, { errors: list }) : new ApiProblem(400, 'InvalidRequest', detail, { errors: list });
}

function placed(error: ErrorObject, part: Part): PlaceProblem {
  const inner = innerPath(error);
  const pointer = `${error.instancePath}${inner === undefined ? '' : `/${inner.replaceAll('~', '~0').replaceAll('/', '~1')}`}`;
  const name = pointer.split('/')[1] ?? '';
  if (part === 'body') return { pointer: `#${encodeURI(pointer)}`, detail: `${pointer === '' ? 'the body' : pointer.slice(1)} ${sentence(error)}` };
  return { parameter: name, detail: `"${name}" ${sentence(error)}` };
}

function innerPath({ keyword, params }: ErrorObject): string | undefined {
  const found = params as Readonly<Record<string, unknown>>;
  if (keyword === 'required') return String(found['missingProperty']);
  return keyword === 'additionalProperties' ? String(found['additionalProperty']) : undefined;
}

function sentence(error: ErrorObject): string {
  const params = error.params as Readonly<Record<string, unknown>>;
  const own = stringOf(error.parentSchema, 'errorMessage');
  switch (error.keyword) {
    case 'required':
      return 'is missing';
    case 'additionalProperties':
      return unknown(String(params['additionalProperty']), Object.keys(objectAt(error.parentSchema, 'properties')));
    case 'enum':
      return `must be ${anyOf(params['allowedValues'] as unknown[])}, is ${shown(error.data)}`;
    default:
      return own === undefined ? `${error.message ?? 'is not valid'}, is ${shown(error.data)}` : `${own}, is ${shown(error.data)}`;
  }
}

function unknown(name: string, known: readonly string[]): string {
  const guess = nearest(name, known);
  return `is not known${guess === undefined ? '' : `; did you mean "${guess}"?`}`;
}

function stringOf(value: unknown, key: string): string | undefined {
  const found = isObject(value) ? value[key] : undefined;
  return typeof found === 'string' ? found : undefined;
}
