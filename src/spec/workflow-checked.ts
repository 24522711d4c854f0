/** Everything that was found out while a Workflow was checked, for those who build it. */
import type { JsonObject } from '../lib/json.ts';
import type { SpecEnvironment, SpecInput } from './parsed.ts';
import type { Dependencies } from './workflow-dependencies.ts';
import type { NamedFiles } from './workflow-files.ts';
import type { StepText, StepTexts } from './workflow-steps.ts';

export interface CheckedWorkflow {
  readonly value: JsonObject;
  readonly steps: StepTexts;
  readonly dependencies: ReadonlyMap<StepText, Dependencies>;
  readonly files: NamedFiles;
  readonly input: SpecInput;
  readonly environment: SpecEnvironment;
}
