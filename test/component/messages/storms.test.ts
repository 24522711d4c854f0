import { stormyMessages } from '../../support/stormy-messages.ts';

stormyMessages('messages on stormy days', [0, 0.15]);
