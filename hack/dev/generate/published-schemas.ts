/** Writes schemas/*.schema.json, which editors read: the schemas of src/spec, with Kubernetes' own words on its fields. */
import type { GeneratedFile } from './generate.ts';
import { classIn, reachableClasses, type KubernetesClass } from './kubernetes-classes.ts';

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly $ref?: string;
  readonly items?: Schema;
  readonly additionalProperties?: boolean | Schema;
  readonly properties?: Record<string, Schema>;
  readonly description?: string;
  readonly $defs?: Record<string, Schema>;
}
type Classes = ReadonlyMap<string, KubernetesClass>;

/** Longer texts are cut at the end of a sentence: an editor shows them in a small window. */
const longest = 400;

/** The generator for the list in generate.ts. */
export async function publishedSchemas(): Promise<GeneratedFile[]> {
  // Imported late, so that it is compiled against what the generator before this one wrote.
  const { configJsonSchema } = await import('../../../src/config/config-schema.ts');
  const { queueJsonSchema } = await import('../../../src/spec/queue-schema.ts');
  const { workflowJsonSchema } = await import('../../../src/spec/workflow-schema.ts');
  const { templateJsonSchema } = await import('../../../src/spec/template-schema.ts');
  const { runJsonSchema } = await import('../../../src/spec/run-schema.ts');
  const { limitsJsonSchema } = await import('../../../src/spec/limits-schema.ts');
  const { referencePattern } = await import('../../../src/spec/step-schema.ts');
  const { podFieldNames } = await import('../../../src/spec/job-schema.ts');
  const classes = new Map((await reachableClasses('V1JobTemplateSpec')).map((found) => [found.name, found]));
  const recipe = (schema: Schema): Schema => describeRecipe(schema, (field) => podFieldNames[field] ?? field, classes);
  return [schemaFile('queue', queue(queueJsonSchema, recipe, classes)), schemaFile('workflow', workflow(workflowJsonSchema, recipe, { classes, referencePattern })), schemaFile('template', workflow(templateJsonSchema, recipe, { classes, referencePattern })), schemaFile('run', copy(runJsonSchema)), schemaFile('limits', copy(limitsJsonSchema)), schemaFile('config', configuration(configJsonSchema, classes))];
}

function queue(source: object, recipe: (schema: Schema) => Schema, classes: Classes): Schema {
  const schema = copy(source);
  const properties = Object.entries(schema.properties ?? {}).map(([name, field]) => [name, name === 'job' ? recipe(field) : field] as const);
  return { ...schema, properties: Object.fromEntries(properties), $defs: describeDefinitions(schema.$defs ?? {}, classes) };
}

/** In a step, or a template, a reference may stand for any value of a Job: an editor must not complain about it. */
function workflow(source: object, recipe: (schema: Schema) => Schema, { classes, referencePattern }: { classes: Classes; referencePattern: string }): Schema {
  const schema = copy(source);
  const { JobRecipe = {}, ...definitions } = schema.$defs ?? {};
  const described = { ...describeDefinitions(definitions, classes), JobRecipe: recipe(JobRecipe) };
  const isJob = (name: string): boolean => name === 'JobRecipe' || classes.has(name);
  return { ...schema, $defs: Object.fromEntries(Object.entries(described).map(([name, definition]) => [name, isJob(name) ? withReferences(definition, referencePattern) : definition])) };
}

function withReferences(definition: Schema, reference: string): Schema {
  return { ...definition, properties: Object.fromEntries(Object.entries(definition.properties ?? {}).map(([name, field]) => [name, orReference(field, reference)])) };
}

function orReference(field: Schema, reference: string): Schema {
  const { description, ...rules } = field;
  const inner = {
    ...rules,
    ...(rules.items ? { items: orReference(rules.items, reference) } : {}),
    ...(typeof rules.additionalProperties === 'object' ? { additionalProperties: orReference(rules.additionalProperties, reference) } : {}),
  };
  const takesText = [rules.type ?? 'object'].flat().includes('string') && !rules.enum && rules.pattern === undefined;
  const open = takesText || Object.keys(rules).length === 0 ? inner : { anyOf: [inner, { type: 'string', pattern: rules.pattern === undefined ? reference : '\\$\\(' }] };
  return { ...(description === undefined ? {} : { description }), ...open };
}

function describeRecipe(schema: Schema, original: (field: string) => string, classes: Classes): Schema {
  const owners = ['V1Container', 'V1PodSpec', 'V1JobSpec'];
  return { ...schema, properties: describeFields(schema.properties ?? {}, (field) => owners.map((owner) => describe(classes, owner, original(field))).find((text) => text !== undefined)) };
}

function copy(source: object): Schema {
  return JSON.parse(JSON.stringify(source)) as Schema;
}

/** What editors want at the top of a schema, and the validator does not need. */
function configuration(source: object, classes: Classes): object {
  const schema = copy(source);
  return {
    $id: 'urn:job-chief:schema:config:v1',
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'job-chief configuration',
    ...schema,
    $defs: describeDefinitions(schema.$defs ?? {}, classes),
  };
}

function schemaFile(name: string, schema: object): GeneratedFile {
  return { path: `schemas/${name}.schema.json`, content: `${JSON.stringify(schema, null, 1)}\n` };
}

function describeDefinitions(definitions: Record<string, Schema>, classes: Classes): Record<string, Schema> {
  return Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => [
      name,
      classes.has(name) ? { ...definition, properties: describeFields(definition.properties ?? {}, (field) => describe(classes, name, field)) } : definition,
    ]),
  );
}

function describeFields(fields: Record<string, Schema>, text: (field: string) => string | undefined): Record<string, Schema> {
  return Object.fromEntries(Object.entries(fields).map(([field, schema]) => [field, { ...schema, description: text(field) ?? `See ${field} in the Kubernetes API.` }]));
}

/** Fields whose type is a class carry no text in the declarations: the class's name says what they are. */
function describe(classes: Classes, owner: string, field: string): string | undefined {
  const source = classes.get(owner);
  const attribute = source?.attributes.find(({ baseName }) => baseName === field);
  if (!source || !attribute) return undefined;
  const text = source.descriptions.get(field);
  if (text !== undefined) return cut(text);
  const type = classIn(attribute.type);
  return type === undefined ? undefined : `${type.replace(/^(Core)?V1/, '')} of the Kubernetes API.`;
}

function cut(text: string): string {
  if (text.length <= longest) return text;
  const end = text.slice(0, longest).lastIndexOf('. ');
  return end > 0 ? text.slice(0, end + 1) : `${text.slice(0, longest)}…`;
}
