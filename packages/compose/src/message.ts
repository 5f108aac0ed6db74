import { NOTES } from "./notes.ts";
import { SENTENCES, type Values } from "./sentences.ts";

const ALL = {
  /** What nobody gave a code: a sentence as it is. */
  text: ({ text }: Values): string => String(text),
  ...SENTENCES,
  ...NOTES,
};

export type MessageCode = keyof typeof ALL;
export const MESSAGE_CODES = Object.keys(ALL) as readonly MessageCode[];

/** What is told of a compose file: data, which pages say in their reader's language. `why`: the message that it is about, the value `why` of it. */
export type Message = { code: MessageCode; values: Values; why?: Message };

export function message(code: MessageCode, values: Values = {}): Message {
  return { code, values };
}

/** In English. */
export function formatMessage({ code, values, why }: Message): string {
  return ALL[code](why === undefined ? values : { ...values, why: formatMessage(why) });
}
