/** `run --image`: a command in an image, by way of a template that the operator has put up for it. */
import type { JsonObject } from '../../lib/json.ts';
import { UserError } from '../exit-code.ts';
import { submitRun, type RunOptions, type SubmitDeps, type Submitted } from './submit.ts';

/** manifests/examples/templates/image.yaml. What it lets people run is the operator's choice. */
export const imageTemplate = 'image';

export interface ImageOptions extends Pick<RunOptions, 'given' | 'key'> {
  readonly image: string;
  readonly command: readonly string[];
}

/** Throws a UserError where there is no such template, or it takes no such parameters. */
export async function submitImage(deps: SubmitDeps, { image, command, given, key }: ImageOptions): Promise<Submitted> {
  const specs = await deps.runs.specs();
  if (!specs.some(({ kind, name }) => kind === 'Template' && name === imageTemplate)) {
    throw new UserError(`--image runs the template "${imageTemplate}", which namespace ${deps.runs.namespace} does not have; manifests/examples/templates/image.yaml is one, for whoever may install it`);
  }
  const document: JsonObject = { ...given.document, image, ...(command.length === 0 ? {} : { command: [...command] }) };
  return submitRun(deps, { target: { kind: 'template', name: imageTemplate }, given: { ...given, document }, key });
}
