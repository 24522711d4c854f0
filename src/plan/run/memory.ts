/** How much memory a step's containers may use, and giving them more. */
import { arrayAt, isObject, objectAt, stringAt, numberAt, type Json, type JsonObject } from '../../lib/json.ts';
import { formatBytes, parseQuantity } from '../../lib/quantity.ts';

type Kind = 'limits' | 'requests';
/** What bounds a container: its limit, and where it has none its request, which says what it needs. */
const kinds: readonly Kind[] = ['limits', 'requests'];

/** Bytes of the largest container; where none says, of the pod as a whole. undefined: nothing bounds it, so nothing can be raised. */
export function memoryOf(template: JsonObject): bigint | undefined {
  const pod = podOf(template);
  return largest(arrayAt(pod, 'containers')) ?? boundOf(pod)?.bytes;
}

/**
 * The template with its largest containers at `memory`: limits and requests, as far as they are set. What bounds the pod
 * as a whole grows with them. Without memory, or with one that is no quantity, the template as it is.
 */
export function withMemory(template: JsonObject, memory: string | undefined): JsonObject {
  const wanted = memory === undefined ? undefined : parseQuantity(memory);
  const base = memoryOf(template);
  if (wanted === undefined || base === undefined) return template;
  const pod = podOf(template);
  const most = largest(arrayAt(pod, 'containers'));
  const grows = (entry: Json): boolean => most !== undefined && boundOf(entry)?.bytes === most;
  const count = arrayAt(pod, 'containers').filter(grows).length;
  const containers = arrayAt(pod, 'containers').map((entry) => (isObject(entry) && grows(entry) ? raised(entry, () => wanted) : entry));
  const more = (wanted - base) * BigInt(Math.max(count, 1));
  return inPod(template, { ...raised(pod, (bytes) => bytes + more), containers });
}

function largest(containers: readonly Json[]): bigint | undefined {
  const bounds = containers.map(boundOf).filter((bound) => bound !== undefined);
  // A request next to somebody else's limit tells nothing about who was killed.
  const limited = bounds.filter(({ kind }) => kind === 'limits');
  const sizes = (limited.length > 0 ? limited : bounds).map(({ bytes }) => bytes);
  return sizes.length === 0 ? undefined : sizes.reduce((most, size) => (size > most ? size : most));
}

function boundOf(holder: Json): { readonly kind: Kind; readonly bytes: bigint } | undefined {
  for (const kind of kinds) {
    const bytes = bytesAt(objectAt(objectAt(holder, 'resources'), kind));
    if (bytes !== undefined) return { kind, bytes };
  }
  return undefined;
}

/** In manifests memory may also be a plain number. */
function bytesAt(amounts: JsonObject): bigint | undefined {
  return parseQuantity(stringAt(amounts, 'memory') ?? String(numberAt(amounts, 'memory') ?? ''));
}

function raised(holder: JsonObject, to: (bytes: bigint) => bigint): JsonObject {
  const resources = objectAt(holder, 'resources');
  const changed = kinds.flatMap((kind): [Kind, JsonObject][] => {
    const amounts = objectAt(resources, kind);
    const bytes = bytesAt(amounts);
    return bytes === undefined ? [] : [[kind, { ...amounts, memory: formatBytes(to(bytes)) }]];
  });
  return changed.length === 0 ? holder : { ...holder, resources: { ...resources, ...Object.fromEntries(changed) } };
}

function podOf(template: JsonObject): JsonObject {
  return objectAt(objectAt(objectAt(template, 'spec'), 'template'), 'spec');
}

function inPod(template: JsonObject, pod: JsonObject): JsonObject {
  const job = objectAt(template, 'spec');
  return { ...template, spec: { ...job, template: { ...objectAt(job, 'template'), spec: pod } } };
}
