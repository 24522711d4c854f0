/** Rules of a Queue that a schema cannot say. They read the raw value, so that one run shows every kind of problem. */
import { numberAt, objectAt, stringAt, type JsonObject } from '../lib/json.ts';
import { nearest } from '../lib/nearest.ts';
import { anyOf } from '../lib/show.ts';
import { extraMetadataFindings, injectedEnv, jobFindings, type OverriddenEnv } from './job-rules.ts';
import type { SpecEnvironment } from './parsed.ts';
import type { Finding } from './report.ts';
import { credentialFindings, referenceFindings } from './text-rules.ts';

/** Everything beyond the schema. */
export function queueFindings(spec: JsonObject, environment: SpecEnvironment): Finding[] {
  return [
    ...jobChoice(spec),
    ...podBounds(spec),
    ...connectionFindings(spec, environment),
    ...jobFindings(spec, { overridden: overriddenEnv(spec) }),
    ...extraMetadataFindings(spec),
    ...referenceFindings(spec),
    ...credentialFindings(spec),
  ];
}

function overriddenEnv(spec: JsonObject): OverriddenEnv {
  const injected = spec['injectConnection'] === true ? injectedEnv : [];
  return new Map([
    ['QUEUE_NAME', { by: 'job-chief to the name of the queue', hint: 'remove it' }],
    ...injected.map((name) => [name, { by: 'injectConnection', hint: 'remove it, or set injectConnection: false' }] as const),
  ]);
}

/** Ways to name a Job that this version does not have: spec/job-refusals.ts speaks of those. */
const otherWays = ['template', 'workflow', 'jobFile', 'jobFiles'];

function jobChoice(spec: JsonObject): Finding[] {
  const [recipe, template] = [Object.hasOwn(spec, 'job'), Object.hasOwn(spec, 'jobTemplate')];
  if (recipe && template) {
    return [{ code: 'ConflictingFields', message: '"job" and "jobTemplate" are both set, exactly one must be', path: ['jobTemplate'], part: 'key', hint: 'remove one of the two' }];
  }
  if (recipe || template || otherWays.some((way) => Object.hasOwn(spec, way))) return [];
  return [{ code: 'MissingField', message: 'one of "job" and "jobTemplate" is required', path: ['job'], hint: 'job is a flat recipe such as {image: ghcr.io/acme/worker:1.0}, jobTemplate a whole JobTemplateSpec' }];
}

function podBounds(spec: JsonObject): Finding[] {
  const pods = objectAt(objectAt(spec, 'drain'), 'pods');
  const min = numberAt(pods, 'min') ?? 1;
  const max = numberAt(pods, 'max') ?? 1;
  if (max >= min) return [];
  const given = Object.hasOwn(pods, 'max');
  const message = given ? `max must not be less than min, but ${max} is less than ${min}` : `min must not be more than max, which is 1 unless it is set, but is ${min}`;
  return [{ code: 'ConflictingFields', message, path: ['drain', 'pods', given ? 'max' : 'min'], hint: `set max to ${min} or more` }];
}

function connectionFindings(spec: JsonObject, { connections }: SpecEnvironment): Finding[] {
  const name = stringAt(objectAt(objectAt(spec, 'source'), 'pgBoss'), 'connection');
  if (connections === undefined || name === undefined) return [];
  const path = ['source', 'pgBoss', 'connection'];
  const connection = connections.get(name);
  if (!connection) {
    const known = [...connections.keys()];
    const guess = nearest(name, known);
    const all = known.length === 0 ? 'the operator has configured no connections' : `the connections are ${anyOf(known)}`;
    return [{ code: 'UnknownConnection', message: `there is no connection "${name}"`, path, hint: guess === undefined ? all : `did you mean "${guess}"?` }];
  }
  if (connection.type !== 'pgBoss') {
    return [{ code: 'ConnectionType', message: `the connection "${name}" is of type ${connection.type}, which pgBoss cannot use`, path, hint: 'name a connection of type pgBoss' }];
  }
  if (spec['injectConnection'] === true && !connection.injectable) {
    return [{ code: 'ConnectionNotInjectable', message: `the operator did not mark the connection "${name}" injectable`, path: ['injectConnection'], hint: 'remove injectConnection, or ask the operator' }];
  }
  return [];
}
