import { stormyDays } from '../../support/stormy-days.ts';

stormyDays('workflows of two controllers with high availability on stormy days', [0.3, 0.4], { of: 'workflows', highAvailability: true });
