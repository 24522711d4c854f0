/** Which feature works with the rights that this ServiceAccount has: asked at start, told once. */
import { objectAt } from '../../lib/json.ts';
import type { KubernetesClient } from './client.ts';
import { accessReviews } from './resources.ts';
import type { Resource } from './resources.ts';

export interface Right {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'patch' | 'update' | 'delete';
  readonly resource: Pick<Resource, 'group' | 'plural'>;
  /** Such as `log`. */
  readonly subresource?: string;
  /** Where a Role grants it for one object only. */
  readonly name?: string;
}

/** All of its rights, or it is off. */
export interface Feature {
  readonly name: string;
  readonly rights: readonly Right[];
  /** Not everybody needs it, and no configuration tells who does: that it is off is no trouble by itself. */
  readonly optional?: true;
}

export interface FeatureState {
  readonly name: string;
  readonly optional?: true;
  /** `unknown`: the API server could not be asked; the feature is tried and finds out. */
  readonly state: 'on' | 'off' | 'unknown';
  /** What is missing, such as `patch configmaps`. */
  readonly missing: readonly string[];
  /** Why it could not be asked. */
  readonly message?: string;
}

/** Each right is asked about once, by SelfSubjectAccessReview, which everybody may create. */
export async function checkPermissions(client: Pick<KubernetesClient, 'ask' | 'namespace'>, features: readonly Feature[]): Promise<readonly FeatureState[]> {
  const rights = new Map(features.flatMap((feature) => feature.rights.map((right) => [textOf(right), right] as const)));
  const answers = new Map(await Promise.all([...rights].map(async ([text, right]) => [text, await allowed(client, right)] as const)));
  return features.map(({ name: text, rights: needed, optional }) => {
    const name = optional ? { name: text, optional } : { name: text };
    const found = needed.map((right) => ({ text: textOf(right), answer: answers.get(textOf(right)) }));
    const missing = found.filter(({ answer }) => answer === 'no').map(({ text }) => text);
    const [open] = found.flatMap(({ answer }) => (typeof answer === 'object' ? [answer.unknown] : []));
    if (missing.length > 0) return { ...name, missing, state: 'off' };
    return open === undefined ? { ...name, missing, state: 'on' } : { ...name, missing, state: 'unknown', message: open };
  });
}

/** What could not be asked, and why. */
type Answer = 'yes' | 'no' | { readonly unknown: string };

/** As people say it and as `kubectl auth can-i` takes it. */
function textOf(right: Right): string {
  const { group, plural } = right.resource;
  const resource = `${plural}${group === '' ? '' : `.${group}`}${right.subresource === undefined ? '' : `/${right.subresource}`}`;
  return `${right.verb} ${resource}${right.name === undefined ? '' : `/${right.name}`}`;
}

async function allowed(client: Pick<KubernetesClient, 'ask' | 'namespace'>, right: Right): Promise<Answer> {
  const { group, plural } = right.resource;
  const answer = await client.ask(accessReviews, {
    apiVersion: 'authorization.k8s.io/v1',
    kind: accessReviews.kind,
    spec: {
      resourceAttributes: {
        namespace: client.namespace,
        verb: right.verb,
        group,
        resource: plural,
        ...(right.subresource === undefined ? {} : { subresource: right.subresource }),
        ...(right.name === undefined ? {} : { name: right.name }),
      },
    },
  });
  if (answer.kind !== 'found') return { unknown: answer.kind === 'failed' ? answer.message : 'the API server knows no SelfSubjectAccessReview' };
  return objectAt(answer.value, 'status')['allowed'] === true ? 'yes' : 'no';
}
