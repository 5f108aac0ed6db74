import type { ContainerView } from "../engine/containers-port.ts";
import type { NewEvent } from "../events/bus.ts";

/** An event about a container with Docker's attributes: its labels, image and name. */
export function containerEvent(view: ContainerView, action: string, attributes: Readonly<Record<string, string>> = {}): NewEvent {
  return {
    namespace: view.namespace,
    type: "container",
    action,
    id: view.id,
    attributes: { ...view.labels, image: view.image, name: view.name, ...attributes },
  };
}
