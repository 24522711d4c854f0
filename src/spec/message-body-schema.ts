/** The JSON Schema for bodies of messages: whether it is one, and where it is not. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { isObject, type Json } from '../lib/json.ts';
import { asMessage, shown } from '../lib/show.ts';
import { pointerPath, type FieldPath } from './field-path.ts';
import type { Finding } from './report.ts';
import { validator } from './validate.ts';

const dialect = 'https://json-schema.org/draft/2020-12/schema';

/** Findings of a schema that users wrote at `path`. */
export function bodySchemaFindings(schema: Json | undefined, path: FieldPath): Finding[] {
  if (!isObject(schema)) return [];
  const named = schema['$schema'];
  if (named !== undefined && (typeof named !== 'string' || named.replace(/#$/, '') !== dialect)) {
    return [{ code: 'InvalidValue', message: `the schema is of ${shown(named)}, and only that of 2020-12 is known`, path: [...path, '$schema'], hint: `remove it, or write ${dialect}` }];
  }
  // Such a validator answers with a promise.
  if (Object.hasOwn(schema, '$async')) return [{ code: 'InvalidValue', message: '"$async" is no keyword of JSON Schema', path: [...path, '$async'], part: 'key', hint: 'remove it' }];
  const wrong = [...shapeFindings(schema, path), ...patternFindings(schema, path)];
  return wrong.length > 0 ? wrong : compileFindings(schema, path);
}

/** The schema of schemas. Putting it together takes far longer than asking it. */
const errorsOf = validator({ $ref: dialect });

/** Against the schema of schemas: knows where. */
function shapeFindings(schema: Json, path: FieldPath): Finding[] {
  const findings = errorsOf(schema).map(({ instancePath, message = 'is not valid', params }): Finding => {
    const words = (params as { allowedValues?: unknown }).allowedValues;
    return { code: 'InvalidValue', message: `this is no JSON Schema: it ${message}${Array.isArray(words) ? ` (${words.join(', ')})` : ''}`, path: [...path, ...pointerPath(instancePath, schema)] };
  });
  // The deepest place is what is wrong; that those around it are wrong therefore is no news.
  const deepest = Math.max(...findings.map((finding) => finding.path?.length ?? 0));
  return findings.filter((finding) => finding.path?.length === deepest).slice(0, 10);
}

/** Keywords that hold schemas by name: their keys are no keywords. */
const mapsOfSchemas = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);

/** The schema of schemas knows of regular expressions only that they are texts. */
function patternFindings(schema: Json | undefined, path: FieldPath): Finding[] {
  if (Array.isArray(schema)) return schema.flatMap((entry, index) => patternFindings(entry, [...path, index]));
  if (!isObject(schema)) return [];
  return Object.entries(schema).flatMap(([key, value]): Finding[] => {
    const at = [...path, key];
    if (key === 'pattern' && typeof value === 'string') return patternProblem(value, at, 'value');
    if (key === 'const' || key === 'enum' || key === 'default' || key === 'examples') return [];
    if (!mapsOfSchemas.has(key) || !isObject(value)) return patternFindings(value, at);
    const keys = key === 'patternProperties' ? Object.keys(value).flatMap((pattern) => patternProblem(pattern, [...at, pattern], 'key')) : [];
    return [...keys, ...Object.entries(value).flatMap(([name, inner]) => patternFindings(inner, [...at, name]))];
  });
}

function patternProblem(pattern: string, path: FieldPath, part: 'key' | 'value'): Finding[] {
  try {
    new RegExp(pattern, 'u');
    return [];
  } catch (error) {
    const why = asMessage(error).replace(/^Invalid regular expression: (\/[^]*\/[a-z]*: )?/, '').toLowerCase();
    return [{ code: 'InvalidValue', message: `${shown(pattern)} is no regular expression: ${why}`, path, part }];
  }
}

/** What only shows when it is put together: references that lead nowhere. */
function compileFindings(schema: Json, path: FieldPath): Finding[] {
  try {
    new Ajv2020({ strict: false, validateSchema: false, validateFormats: false, logger: false }).compile(isObject(schema) ? schema : {});
    return [];
  } catch (error) {
    return [{ code: 'InvalidValue', message: `the schema cannot be used: ${asMessage(error)}`.replaceAll('\n', ' ').slice(0, 300), path, hint: 'a "$ref" leads to a definition in the same schema, such as "#/$defs/NAME"' }];
  }
}
