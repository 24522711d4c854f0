/** Writes schemas/*.schema.json, which editors read: the schemas of src/spec, with Kubernetes' own words on its fields. */
import type { GeneratedFile } from './generate.ts';
import { classIn, reachableClasses, type KubernetesClass } from './kubernetes-classes.ts';

interface Schema {
  readonly properties?: Record<string, Schema>;
  readonly description?: string;
  readonly $defs?: Record<string, Schema>;
}

/** Longer texts are cut at the end of a sentence: an editor shows them in a small window. */
const longest = 400;

/** The generator for the list in generate.ts. */
export async function publishedSchemas(): Promise<GeneratedFile[]> {
  // Imported late, so that it is compiled against what the generator before this one wrote.
  const { configJsonSchema } = await import('../../../src/config/config-schema.ts');
  const { queueJsonSchema } = await import('../../../src/spec/queue-schema.ts');
  const { podFieldNames } = await import('../../../src/spec/job-schema.ts');
  const classes = new Map((await reachableClasses('V1JobTemplateSpec')).map((found) => [found.name, found]));
  const schema = JSON.parse(JSON.stringify(queueJsonSchema)) as Schema;
  const described = { ...schema, $defs: describeDefinitions(schema.$defs ?? {}, classes) };
  const recipe = described.properties?.['job'];
  if (recipe?.properties) {
    const owners = ['V1Container', 'V1PodSpec', 'V1JobSpec'];
    Object.assign(recipe, { properties: describeFields(recipe.properties, (field) => owners.map((owner) => describe(classes, owner, podFieldNames[field] ?? field)).find((text) => text !== undefined)) });
  }
  return [schemaFile('queue', described), schemaFile('config', configuration(configJsonSchema, classes))];
}

/** What editors want at the top of a schema, and the validator does not need. */
function configuration(source: object, classes: ReadonlyMap<string, KubernetesClass>): object {
  const schema = JSON.parse(JSON.stringify(source)) as Schema;
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

function describeDefinitions(definitions: Record<string, Schema>, classes: ReadonlyMap<string, KubernetesClass>): Record<string, Schema> {
  return Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => [name, { ...definition, properties: describeFields(definition.properties ?? {}, (field) => describe(classes, name, field)) }]),
  );
}

function describeFields(fields: Record<string, Schema>, text: (field: string) => string | undefined): Record<string, Schema> {
  return Object.fromEntries(Object.entries(fields).map(([field, schema]) => [field, { ...schema, description: text(field) ?? `See ${field} in the Kubernetes API.` }]));
}

/** Fields whose type is a class carry no text in the declarations: the class's name says what they are. */
function describe(classes: ReadonlyMap<string, KubernetesClass>, owner: string, field: string): string | undefined {
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
