/** Requests of kube-job-runner, `{image, tag, timeout}`: one Template for all of them, and a Run for each. */
import { isObject } from '../../lib/json.ts';
import { shown } from '../../lib/show.ts';
import { Draft } from './draft.ts';
import type { Converted, ConvertContext } from './format.ts';
import { problemOf, type Item } from './item.ts';
import { seconds } from './kubernetes-job.ts';

const fields = ['image', 'tag', 'timeout'];

/** Nothing where there are no requests. */
export function convertRequests(documents: readonly Item[], { name }: ConvertContext): Converted {
  const all = documents.flatMap((document) => (Array.isArray(document.value) ? document.members() : [document]));
  const requests = all.filter(({ value }) => isObject(value));
  const problems = all.filter((item) => !requests.includes(item)).map((item) => problemOf(item, 'WrongType', `a request must be a mapping with image and tag, is ${shown(item.value)}`));
  const [first] = requests;
  if (!first) return { drafts: [], problems };
  const template = templateOf(first, { name, timed: requests.some((request) => request.at('timeout').exists) });
  return { drafts: [template, ...requests.map((request) => run(request, template.name))], problems };
}

function templateOf(source: Item, { name, timed }: { readonly name: string; readonly timed: boolean }): Draft {
  const draft = new Draft({ kind: 'Template', name, source });
  draft.set(['parameters'], { image: { type: 'string' }, tag: { type: 'string' } });
  draft.remark(['parameters'], 'Who may start this may run any image. A Template for each image, without parameters, is the safer way.');
  if (timed) {
    draft.set(['parameters', 'timeout'], { type: 'string', default: '365d' });
    draft.set(['timeout'], '$(params.timeout)');
  }
  draft.set(['job'], { image: '$(params.image):$(params.tag)', imagePullPolicy: 'IfNotPresent' });
  draft.set(['retry'], { attempts: 1 });
  draft.remark(['retry'], 'Kubernetes tried a failed pod up to 6 times more, unless the service saw the first one fail and gave up, which it mostly did.');
  return draft;
}

function run(request: Item, template: string): Draft {
  const image = request.at('image').text ?? 'run';
  const draft = new Draft({ kind: 'Run', name: `${image.split('/').at(-1) ?? 'run'}-${request.at('tag').written ?? ''}`, source: request });
  draft.set(['template'], template);
  draft.set(['parameters', 'image'], draft.requiredText(request.at('image')), request.at('image'));
  draft.set(['parameters', 'tag'], draft.requiredText(request.at('tag')), request.at('tag'));
  const milliseconds = draft.count(request.at('timeout'));
  if (milliseconds !== undefined && milliseconds > 0) {
    draft.set(['parameters', 'timeout'], seconds(Math.ceil(milliseconds / 1_000)), request.at('timeout'));
    draft.remark(['parameters', 'timeout'], `Was ${milliseconds}, taken for milliseconds. It was never enforced; now it is.`);
  }
  for (const [name, item] of request.fields().filter(([field]) => !fields.includes(field))) draft.remark([], `${name}: ${shown(item.value)} had no effect.`);
  return draft;
}
