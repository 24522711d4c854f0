/** What users write as `parameters`: JSON Schema of one value each, with those keywords that a request can be checked by. */
import { Type, type TOptional, type TUnsafe } from 'typebox';
import type { Json, JsonObject } from '../lib/json.ts';
import { integer } from './schema-fields.ts';

/** Steps, phases, parameters and outputs. */
export const namePattern = '^[A-Za-z][A-Za-z0-9_-]{0,62}$';
export const nameMessage = 'must begin with a letter, followed by at most 62 letters, digits, "_" and "-"';

export const valueTypes = ['string', 'integer', 'number', 'boolean', 'object', 'array'] as const;

/** A mapping whose keys are names of that sort. */
export function namedMap<Value>(description: string, value: JsonObject): TOptional<TUnsafe<Readonly<Record<string, Value>>>> {
  return Type.Optional(
    Type.Unsafe<Readonly<Record<string, Value>>>({
      type: 'object',
      description,
      default: {},
      maxProperties: 500,
      propertyNames: { pattern: namePattern, errorMessage: nameMessage },
      additionalProperties: value,
    }),
  );
}

const size = (description: string) => integer({ description, min: 0, max: 1_000_000 });
const bound = (description: string) => Type.Optional(Type.Number({ description }));
const nested = (description: string) => Type.Optional(Type.Unsafe<JsonObject>({ $ref: '#/$defs/Value', description }));

const type = Type.Unsafe<(typeof valueTypes)[number]>({ type: 'string', enum: valueTypes, description: 'Type of the value.' });

const keywords = {
  type,
  description: Type.Optional(Type.String({ description: 'What it is, for people.' })),
  enum: Type.Optional(Type.Unsafe<Json[]>({ type: 'array', minItems: 1, description: 'The values that are allowed.' })),
  minimum: bound('Least number.'),
  maximum: bound('Largest number.'),
  exclusiveMinimum: bound('Every number must be larger.'),
  exclusiveMaximum: bound('Every number must be smaller.'),
  multipleOf: Type.Optional(Type.Number({ description: 'Numbers must be a multiple of this.', exclusiveMinimum: 0, errorMessage: 'must be more than 0' })),
  minLength: size('Least number of characters.'),
  maxLength: size('Largest number of characters.'),
  pattern: Type.Optional(Type.String({ description: 'Regular expression that texts must match.', maxLength: 1_000 })),
  items: nested('What each entry of a list must be.'),
  minItems: size('Least number of entries.'),
  maxItems: size('Largest number of entries.'),
  uniqueItems: Type.Optional(Type.Boolean({ description: 'No two entries may be equal.' })),
  properties: Type.Optional(Type.Unsafe<JsonObject>({ type: 'object', additionalProperties: { $ref: '#/$defs/Value' }, description: 'Fields of a mapping.' })),
  required: Type.Optional(Type.Array(Type.String(), { description: 'Fields that a mapping must have.', uniqueItems: true, errorMessage: 'must name no field twice' })),
  additionalProperties: Type.Optional(
    Type.Unsafe<boolean | JsonObject>({ type: ['boolean', 'object'], if: { type: 'object' }, then: { $ref: '#/$defs/Value' }, description: 'Whether a mapping may have other fields, or what those must be.', errorMessage: 'must be true, false or a declaration' }),
  ),
  minProperties: size('Least number of fields.'),
  maxProperties: size('Largest number of fields.'),
};

const parameter = Type.Object(
  {
    ...keywords,
    default: Type.Optional(Type.Unsafe<Json>({ description: 'Value where a request gives none. Without it the parameter is required.' })),
    optional: Type.Optional(Type.Boolean({ description: 'May be left out although there is no default; it is absent then.', default: false })),
  },
  { additionalProperties: false, description: 'One parameter, as JSON Schema.' },
);

/** A parameter as users write it. */
export interface ParameterDocument extends JsonObject {
  readonly type: (typeof valueTypes)[number];
  readonly default?: Json;
  readonly optional?: boolean;
}

/** `parameters`. */
export const parametersSchema = namedMap<ParameterDocument>(
  'Values that a request may set, by name: each a JSON Schema. One without a default is required, unless it is optional.',
  { $ref: '#/$defs/Parameter' },
);

/** What it refers to. */
export const parameterDefinitions: Readonly<Record<string, JsonObject>> = {
  Parameter: parameter as unknown as JsonObject,
  Value: Type.Object(keywords, { additionalProperties: false, description: 'A value inside a parameter, as JSON Schema.' }) as unknown as JsonObject,
};
