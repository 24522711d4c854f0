import { stormyDays } from '../../support/stormy-days.ts';

stormyDays('messages on stormy days with two replicas', [0.1, 0.18], { of: 'messages', highAvailability: true });
