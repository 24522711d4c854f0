/**
 * `job-chief/plan`: the decisions of the controller. Pure and synchronous: what is observed and the time in, actions,
 * status and the time of the next look out. The types follow what the controller needs, and may change between minor
 * versions.
 */
export type { Plan } from '../plan/action.ts';
export type { PlanEnvironment } from '../plan/environment.ts';
export type { Observed } from '../plan/observed.ts';
export { plan } from '../plan/plan.ts';
export type { RunPlan } from '../plan/run/action.ts';
export type { ObservedRun } from '../plan/run/observed.ts';
export { planRun } from '../plan/run/plan-run.ts';
export type { WorkflowPlan } from '../plan/workflow/action.ts';
export type { ObservedWorkflow } from '../plan/workflow/observed.ts';
export { planWorkflow } from '../plan/workflow/plan-workflow.ts';
