import { CDC_MESSAGES } from './cdc-messages.ts';
import { ENGINE_MESSAGES } from './engine-messages.ts';
import type { MessageText } from './message-text.ts';

/** A number that has a text here. */
export type MessageNumber = keyof typeof ENGINE_MESSAGES | keyof typeof CDC_MESSAGES;

/** Every message that the fixture sends, by number. */
export const MESSAGES: Readonly<Record<MessageNumber, MessageText>> = {
  ...ENGINE_MESSAGES,
  ...CDC_MESSAGES,
};
