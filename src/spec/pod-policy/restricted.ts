/** The `restricted` profile of the Pod Security Standards, as far as it asks for more than is never allowed anyway. */
import { arrayAt, isObject, objectAt, type Json, type JsonObject } from '../../lib/json.ts';
import { shown } from '../../lib/show.ts';
import type { FieldPath } from '../field-path.ts';
import type { PolicyFinding } from './finding.ts';
import { no, type Judging } from './rules.ts';

/** A mapping of the pod and where it stands. */
export interface Part {
  readonly path: FieldPath;
  readonly value: JsonObject;
}

/** For pods on Linux: what Windows has other words for is asked for all the same. */
export function restrictedFindings(pod: Part, containers: readonly Part[], judging: Judging): PolicyFinding[] {
  if (!judging.policy.restricted) return [];
  const check = new Check(judging);
  const own = check.securityContext(pod);
  check.settings(own);
  for (const container of containers) check.container(container, own.value);
  return check.findings;
}

const profiles: readonly Json[] = ['RuntimeDefault', 'Localhost'];
const seLinuxTypes: readonly Json[] = ['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'];

class Check {
  readonly findings: PolicyFinding[] = [];
  readonly #judging: Judging;

  constructor(judging: Judging) {
    this.#judging = judging;
  }

  securityContext({ path, value }: Part): Part {
    return { path: [...path, 'securityContext'], value: objectAt(value, 'securityContext') };
  }

  container(container: Part, pod: JsonObject): void {
    const own = this.securityContext(container);
    if (this.#judging.isOpen(container.value['securityContext'])) return;
    this.settings(own);
    this.#must(own, ['allowPrivilegeEscalation'], (value) => value === false, 'must be false');
    // What is said here has been looked at; what is not is what the pod says.
    this.#must(own, ['runAsNonRoot'], (value) => !absent(value) || !absent(pod['runAsNonRoot']), 'must be true, here or in the securityContext of the pod');
    this.#must(own, ['seccompProfile', 'type'], (value) => !absent(value) || !absent(pod['seccompProfile']), 'must be "RuntimeDefault", here or in the securityContext of the pod');
    this.#must(own, ['capabilities', 'drop'], (value) => Array.isArray(value) && (value.includes('ALL') || value.some(this.#judging.isOpen)), 'must have "ALL"');
    this.#handlers(container);
  }

  /** Of a pod or a container: what is said must be harmless. */
  settings(context: Part): void {
    this.#must(context, ['runAsNonRoot'], (value) => absent(value) || value === true, 'must be true');
    this.#must(context, ['runAsUser'], (value) => value !== 0, 'must not be 0, which is root');
    this.#must(context, ['seccompProfile', 'type'], (value) => (absent(value) ? absent(context.value['seccompProfile']) : profiles.includes(value)), 'must be "RuntimeDefault"');
    this.#must(context, ['appArmorProfile', 'type'], (value) => absent(value) || profiles.includes(value), 'must be "RuntimeDefault"');
    this.#must(context, ['seLinuxOptions', 'type'], (value) => absent(value) || seLinuxTypes.includes(value), 'must be a type for containers, such as "container_t"');
    for (const field of ['user', 'role']) this.#must(context, ['seLinuxOptions', field], (value) => absent(value) || value === '', 'must not be set');
  }

  /** The kubelet would ask whom it is told to, from the node. */
  #handlers({ path, value }: Part): void {
    const lifecycle = objectAt(value, 'lifecycle');
    const handlers: Part[] = [
      ...['livenessProbe', 'readinessProbe', 'startupProbe'].map((name) => ({ path: [...path, name], value: objectAt(value, name) })),
      ...['postStart', 'preStop'].map((name) => ({ path: [...path, 'lifecycle', name], value: objectAt(lifecycle, name) })),
    ];
    for (const handler of handlers) {
      for (const kind of ['httpGet', 'tcpSocket']) this.#must(handler, [kind, 'host'], (host) => absent(host) || host === '', 'must not be set');
    }
  }

  /** Notes a value that is known and does not satisfy. */
  #must({ path, value }: Part, field: readonly string[], satisfies: (value: Json | undefined) => boolean, must: string): void {
    let found: Json | undefined = value;
    for (const name of field) {
      found = isObject(found) ? found[name] : undefined;
      if (this.#judging.isOpen(found)) return;
    }
    const given = found ?? undefined;
    if (satisfies(given)) return;
    const text = `"${field.join('.')}" ${must}${given === undefined ? '' : `, is ${shown(given)}`}`;
    this.findings.push(no([...path, ...field], 'restricted', text, 'the restricted profile of Kubernetes asks for it'));
  }
}

function absent(value: Json | undefined): value is undefined | null {
  return value === undefined || value === null;
}

/** Init containers and regular ones, where they stand. */
export function containersOf({ path, value }: Part): (Part & { readonly init: boolean })[] {
  return ['initContainers', 'containers'].flatMap((list) =>
    arrayAt(value, list).flatMap((container, index) => (isObject(container) ? [{ path: [...path, list, index], value: container, init: list === 'initContainers' }] : [])),
  );
}
