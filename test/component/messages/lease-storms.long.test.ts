import { stormyMessages } from '../../support/stormy-messages.ts';

stormyMessages('messages on stormy days with two replicas', [0.15, 0.3], { highAvailability: true });
