import { stormyDays } from '../support/stormy-days.ts';

// The Lease alone makes thousands of requests an hour, so these days cost more than others.
stormyDays('two controllers with high availability on stormy days', [0.85, 1], { of: 'queues', highAvailability: true });
