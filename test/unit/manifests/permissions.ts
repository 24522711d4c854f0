/** The verbs that the adapters use, by the feature that needs them: `group/resource verb`. */
export const permissions: Readonly<Record<'core' | 'specs' | 'status' | 'events', readonly string[]>> = {
  core: [
    'batch/jobs create', 'batch/jobs delete', 'batch/jobs get', 'batch/jobs list', 'batch/jobs patch', 'batch/jobs watch',
    '/pods get', '/pods list', '/pods watch',
  ],
  specs: ['/configmaps get', '/configmaps list', '/configmaps watch'],
  status: ['/configmaps patch'],
  events: ['/events list', '/events create', '/events patch'],
};
