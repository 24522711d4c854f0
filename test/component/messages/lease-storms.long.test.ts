import { stormyDays } from '../../support/stormy-days.ts';

stormyDays('messages on stormy days with two replicas', [0.15, 0.3], { of: 'messages', highAvailability: true });
