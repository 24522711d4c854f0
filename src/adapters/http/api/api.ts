/** All routes of the API. */
import { withDocument } from './about.ts';
import { commandRoutes } from './commands.ts';
import { eventRoutes, type EventDeps } from './events.ts';
import { logRoutes } from './logs.ts';
import { messageRoutes } from './messages.ts';
import { queueRoutes } from './queues.ts';
import type { Route } from './route.ts';
import { runRoutes } from './runs.ts';
import { specRoutes } from './specs.ts';
import { submitRoute } from './submit.ts';

/** In the order of the document. */
export function apiRoutes(deps: EventDeps, version: string): readonly Route[] {
  const routes = [...specRoutes(deps), submitRoute(deps), ...runRoutes(deps), ...logRoutes(deps), ...commandRoutes(deps), ...eventRoutes(deps), ...queueRoutes(deps), ...messageRoutes(deps)];
  return withDocument(routes, { version, publicUrl: deps.publicUrl });
}
