// rtnetlink(7) over a socket: links, addresses, routes and programs of one network namespace.
import { closeSync, openSync } from "node:fs";
import { FlotillaError } from "@flotilla/core";
import { attachRequests, detachRequests } from "./ingress-program.ts";
import type { KernelObject, ObjectChange } from "./kernel-objects.ts";
import {
  findRequest,
  isKeptRoute,
  linkIndexOf,
  linkRequest,
  linksOf,
  listRequests,
  parseAddress,
  parseLink,
  parseRoute,
  vethMessage,
} from "./link-messages.ts";
import { formatLinkOperation, type Link, type LinkAddress, type LinkOperation, type Route } from "./link-operations.ts";
import { NetlinkSocket, type NetlinkRequest } from "./netlink.ts";
import { applyObjects, listObjects } from "./object-requests.ts";
import { vxlanMessage } from "./vxlan-message.ts";

/** linux/ethtool.h */
const ETHTOOL_GGRO = 0x2b;
const ETHTOOL_SGRO = 0x2c;

/** Links, addresses and routes of the network namespace that the calling thread was in when this was made. */
export class RouteSocket {
  readonly #socket = new NetlinkSocket();

  /**
   * Performs operations in order, stopping at the first addition of a link that the kernel refuses; of others those that follow may have been
   * tried too.
   * @throws FlotillaError `internal`: `link add x …: EEXIST: the kernel's words`, `details.errno`.
   */
  apply(operations: readonly LinkOperation[]): void {
    const waiting: NetlinkRequest[] = [];
    const indexes = new Map<string, number>();
    const flush = (...more: NetlinkRequest[]): Map<number, Buffer> => this.#socket.execute([...waiting.splice(0), ...more]);
    const indexOf = (name: string): number => indexes.get(name) ?? 0;
    for (const operation of operations) {
      for (const name of linksOf(operation)) {
        // Asked in the same datagram, behind what may have made it.
        if (!indexes.has(name)) indexes.set(name, indexIn(flush(findRequest(name)), name));
      }
      if (operation.kind === "delete-link") indexes.delete(operation.name);
      if (operation.kind === "add-veth" || operation.kind === "add-vxlan" || operation.kind === "set-receive-offload") {
        flush();
        this.#applyAlone(operation, indexOf);
      } else {
        waiting.push(linkRequest(operation, indexOf));
        if (operation.kind === "add-bridge") flush();
      }
    }
    flush();
  }

  #applyAlone(
    operation: Extract<LinkOperation, { kind: "add-veth" | "add-vxlan" | "set-receive-offload" }>,
    indexOf: (name: string) => number,
  ): void {
    const attempt = formatLinkOperation(operation);
    if (operation.kind === "add-veth") {
      withNetns(operation.peer.netnsPath, (fd) => this.#socket.execute([{ attempt, message: vethMessage(operation, fd, indexOf) }]));
    } else if (operation.kind === "add-vxlan") {
      withNetns(operation.netnsPath, (fd) => this.#socket.execute([{ attempt, message: vxlanMessage(operation, fd) }]));
    } else this.#socket.setFeature({ link: operation.name, command: ETHTOOL_SGRO }, operation.isOn);
  }

  links(): Link[] {
    return this.#socket.dump(listRequests.links).map(parseLink);
  }

  findLink(name: string): Link | undefined {
    const answer = this.#socket.get(findRequest(name));
    return answer === undefined ? undefined : parseLink(answer);
  }

  hasReceiveOffload(name: string): boolean {
    return this.#socket.hasFeature({ link: name, command: ETHTOOL_GGRO });
  }

  /** IPv4 addresses of all links. */
  addresses(): LinkAddress[] {
    return this.#socket.dump(listRequests.addresses).map(parseAddress);
  }

  /** IPv4 unicast routes of all tables, without the kernel's cache. */
  routes(): Route[] {
    return this.#socket.dump(listRequests.routes).filter(isKeptRoute).map(parseRoute);
  }

  /** In order. What is as wanted already counts as done. @throws FlotillaError `internal` for the first that the kernel refused, when all have been tried. */
  applyObjects(changes: readonly ObjectChange[]): void {
    applyObjects(this.#socket, changes, this);
  }

  /** Everything of these kinds that somebody made on purpose. */
  objects(): KernelObject[] {
    return listObjects(this.#socket, this.links());
  }

  /** @throws FlotillaError `internal` with errno ENODEV. */
  indexOf(name: string): number {
    return indexIn(this.#socket.execute([findRequest(name)]), name);
  }

  /** @param program descriptor of a BPF program for packets that arrive. */
  attachProgram(linkIndexes: readonly number[], program: number): void {
    this.#socket.execute(linkIndexes.flatMap((index) => attachRequests(index, program)));
  }

  detachPrograms(linkIndexes: readonly number[]): void {
    this.#socket.execute(linkIndexes.flatMap(detachRequests));
  }

  close(): void {
    this.#socket.close();
  }
}

/** The one answer that there is. */
function indexIn(answers: ReadonlyMap<number, Buffer>, name: string): number {
  const [answer] = answers.values();
  if (answer === undefined) throw new FlotillaError("internal", `find link ${name}: ENODEV`, { details: { errno: "ENODEV" } });
  return linkIndexOf(answer);
}

function withNetns(path: string, work: (fd: number) => void): void {
  const fd = openSync(path, "r");
  try {
    work(fd);
  } finally {
    closeSync(fd);
  }
}
