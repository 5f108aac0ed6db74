export { deliverDue, forgetDeliveries } from "./deliver.ts";
export { enqueueEvent } from "./events.ts";
export { noteDeath } from "./note-death.ts";
export * from "./manage-webhooks.ts";
