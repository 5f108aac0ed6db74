import { isIPv6 } from "node:net";
import { FlotillaError, isFlotillaError } from "@flotilla/core";
import type { PortBinding } from "../engine/ports.ts";
import { canonicalIp } from "../host/ip-bytes.ts";
import type { NetworkKernel } from "../host/network-kernel.ts";
import type { PortReservation } from "../host/port-reservation.ts";
import type { NetworkStore, PortRow } from "./network-store.ts";

/** What `-P` and a host port of 0 are served from (the manual's range). */
const FIRST_EPHEMERAL_PORT = 49_000;
const LAST_EPHEMERAL_PORT = 49_900;
const ANY_ADDRESS = "0.0.0.0";
const ANY_IPV6 = "::";

type Allocated = { row: PortRow; reservation: PortReservation };

/** Gives out host ports and holds them, bound, while this process lives. */
export class PortAllocator {
  readonly #kernel: NetworkKernel;
  readonly #store: NetworkStore;
  readonly #held = new Map<string, PortReservation[]>();

  constructor(kernel: NetworkKernel, store: NetworkStore) {
    this.#kernel = kernel;
    this.#store = store;
  }

  /**
   * Chooses and records the ports of a container and binds them; runs inside the caller's transaction, which a failure
   * must roll back, and leaves nothing bound then. Synchronous, so that two containers cannot get one port.
   * @param options.hasIpv6 whether the container has IPv6: what is published on every address then is on those too.
   * @throws conflict with Docker's words; invalid for an IPv6 address without.
   */
  allocate(containerId: string, bindings: readonly PortBinding[], { hasIpv6 }: { hasIpv6: boolean }): void {
    const reservations: PortReservation[] = [];
    try {
      // Fixed ports first: a free choice must not take what a later binding of the same container names.
      for (const binding of [...bindings].sort((a, b) => candidateCount(a) - candidateCount(b))) {
        for (const { row, reservation } of this.#allocateOne(containerId, binding, addressesOf(binding, hasIpv6))) {
          reservations.push(reservation);
          this.#store.addPort(row);
        }
      }
    } catch (error) {
      for (const reservation of reservations) reservation.release();
      throw error;
    }
    this.release(containerId);
    this.#held.set(containerId, reservations);
  }

  /**
   * Binds again what the store names, after a restart.
   * @returns what a program took meanwhile: translation still works for those, so the container need not suffer.
   */
  hold(containerId: string): PortRow[] {
    this.release(containerId);
    const lost: PortRow[] = [];
    const reservations: PortReservation[] = [];
    for (const row of this.#store.portsOf(containerId)) {
      try {
        reservations.push(this.#kernel.reservePort({ address: row.host_address, port: row.host_port, protocol: row.protocol }));
      } catch {
        lost.push(row);
      }
    }
    this.#held.set(containerId, reservations);
    return lost;
  }

  /** Lets go of a container's ports; the rows are the caller's. Idempotent. */
  release(containerId: string): void {
    for (const reservation of this.#held.get(containerId) ?? []) reservation.release();
    this.#held.delete(containerId);
  }

  close(): void {
    for (const containerId of this.#held.keys()) this.release(containerId);
  }

  /** One port on all of these addresses. */
  #allocateOne(containerId: string, binding: PortBinding, addresses: readonly string[]): Allocated[] {
    const { first, last } = candidates(binding);
    for (let host_port = first; host_port <= last; host_port += 1) {
      const rows = addresses.map((host_address) => ({ container_id: containerId, protocol: binding.protocol, host_address, host_port, container_port: binding.containerPort })); // prettier-ignore
      const made = this.#tryReserveAll(rows, first === last);
      if (made !== undefined) return made;
    }
    throw new FlotillaError("conflict", `Bind for ${addresses[0] ?? ""}:${first}-${last} failed: all ports are allocated`);
  }

  /** All or none. */
  #tryReserveAll(rows: readonly PortRow[], isOnly: boolean): Allocated[] | undefined {
    const made: Allocated[] = [];
    const undo = (): void => made.forEach(({ reservation }) => reservation.release());
    for (const row of rows) {
      try {
        const reservation = this.#tryReserve(row, isOnly);
        if (reservation !== undefined) made.push({ row, reservation });
      } catch (error) {
        undo();
        throw error;
      }
    }
    if (made.length === rows.length) return made;
    undo();
    return undefined;
  }

  /** undefined when the port is taken and there are others to try. */
  #tryReserve(row: PortRow, isOnly: boolean): PortReservation | undefined {
    if (this.#store.isPortTaken(row)) {
      if (!isOnly) return undefined;
      throw new FlotillaError("conflict", `Bind for ${row.host_address}:${row.host_port} failed: port is already allocated`);
    }
    try {
      return this.#kernel.reservePort({ address: row.host_address, port: row.host_port, protocol: row.protocol });
    } catch (error) {
      if (!isOnly && isFlotillaError(error, "conflict")) return undefined;
      throw error;
    }
  }
}

function candidates(binding: PortBinding): { first: number; last: number } {
  if (binding.hostPort === 0) return { first: FIRST_EPHEMERAL_PORT, last: LAST_EPHEMERAL_PORT };
  return { first: binding.hostPort, last: binding.hostPortEnd ?? binding.hostPort };
}

function candidateCount(binding: PortBinding): number {
  const { first, last } = candidates(binding);
  return last - first;
}

/** "" is every address, "0.0.0.0" every IPv4 and "::" every IPv6 one. */
function addressesOf({ hostIp }: PortBinding, hasIpv6: boolean): string[] {
  if (hostIp === "") return hasIpv6 ? [ANY_ADDRESS, ANY_IPV6] : [ANY_ADDRESS];
  if (!isIPv6(hostIp)) return [hostIp];
  if (!hasIpv6)
    throw new FlotillaError(
      "invalid",
      `cannot publish on IPv6 address [${hostIp}]: the container is on no network with IPv6 that leads out`,
    );
  return [canonicalIp(hostIp)];
}
