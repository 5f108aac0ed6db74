import { FlotillaError, isFlotillaError } from "@flotilla/core";
import type { PortBinding } from "../engine/ports.ts";
import type { NetworkKernel } from "../host/network-kernel.ts";
import type { PortReservation } from "../host/port-reservation.ts";
import type { NetworkStore, PortRow } from "./network-store.ts";

/** What `-P` and a host port of 0 are served from (the manual's range). */
const FIRST_EPHEMERAL_PORT = 49_000;
const LAST_EPHEMERAL_PORT = 49_900;
const ANY_ADDRESS = "0.0.0.0";

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
   * @throws conflict with Docker's words; not_implemented for an IPv6 address.
   */
  allocate(containerId: string, bindings: readonly PortBinding[]): void {
    const reservations: PortReservation[] = [];
    try {
      // Fixed ports first: a free choice must not take what a later binding of the same container names.
      for (const binding of [...bindings].sort((a, b) => candidateCount(a) - candidateCount(b))) {
        const { row, reservation } = this.#allocateOne(containerId, binding);
        reservations.push(reservation);
        this.#store.addPort(row);
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

  #allocateOne(containerId: string, binding: PortBinding): { row: PortRow; reservation: PortReservation } {
    const host_address = normalizeHostAddress(binding.hostIp);
    const { first, last } = candidates(binding);
    for (let host_port = first; host_port <= last; host_port += 1) {
      const row = { container_id: containerId, protocol: binding.protocol, host_address, host_port, container_port: binding.containerPort };
      const reservation = this.#tryReserve(row, first === last);
      if (reservation !== undefined) return { row, reservation };
    }
    throw new FlotillaError("conflict", `Bind for ${host_address}:${first}-${last} failed: all ports are allocated`);
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

/** "" and "0.0.0.0" are every address. */
function normalizeHostAddress(hostIp: string): string {
  if (hostIp === "" || hostIp === ANY_ADDRESS) return ANY_ADDRESS;
  if (hostIp.includes(":")) throw new FlotillaError("not_implemented", `publishing on an IPv6 address is not implemented: [${hostIp}]`);
  return hostIp;
}
