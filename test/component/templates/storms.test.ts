/** Every request runs once, and what it comes to follows from what its pods did. */
import { stormyDays } from '../../support/stormy-days.ts';

stormyDays('requests on stormy days', [0, 0.15], { of: 'requests' });
stormyDays('requests of two controllers with high availability on stormy days', [0.15, 0.2], { of: 'requests', highAvailability: true });
