import { StreamBounds } from "@flotilla/services";
import { describe, expect, test } from "vitest";
import { SocketStreams } from "./socket-streams.ts";

const ACTOR = { kind: "anonymous", address: null } as const;
const MIB = 1024 * 1024;

function scene() {
  const socket = { readyState: 1, bufferedAmount: 0 };
  const streams = new SocketStreams(socket, new StreamBounds({ perPerson: 0, perProcess: 0 }));
  const stop = new AbortController();
  return { socket, streams, stop };
}

/** Counts how often it was asked. */
function source() {
  const seen = { asked: 0, isEnded: false };
  async function* values(): AsyncGenerator<number> {
    try {
      for (;;) yield ++seen.asked;
    } finally {
      seen.isEnded = true;
    }
  }
  return { seen, values: values() };
}

describe("subscriptions of a socket", () => {
  test("are asked for no more while the socket has much unsent, and go on when it has less", async () => {
    const { socket, streams, stop } = scene();
    const { seen, values } = source();
    const paced = streams.admit(ACTOR, stop.signal).pace(values);
    expect((await paced.next()).value).toBe(1);
    socket.bufferedAmount = 2 * MIB;
    const next = paced.next();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seen.asked).toBe(1);
    socket.bufferedAmount = 0;
    expect((await next).value).toBe(2);
  });

  test("wait no longer when the socket closes or the subscription is stopped", async () => {
    for (const end of ["close", "abort"] as const) {
      const { socket, streams, stop } = scene();
      const paced = streams.admit(ACTOR, stop.signal).pace(source().values);
      await paced.next();
      socket.bufferedAmount = 2 * MIB;
      const next = paced.next();
      if (end === "close") socket.readyState = 3;
      else stop.abort();
      expect((await next).value).toBe(2);
    }
  });

  test("what they read from ends with them", async () => {
    const { streams, stop } = scene();
    const { seen, values } = source();
    const paced = streams.admit(ACTOR, stop.signal).pace(values);
    await paced.next();
    await paced.return(undefined);
    expect(seen.isEnded).toBe(true);
  });

  test("are at most a hundred; those that ended, were stopped, or never began count no more", async () => {
    const { streams, stop } = scene();
    const others = new AbortController();
    const admitted = Array.from({ length: 98 }, () => streams.admit(ACTOR, others.signal));
    const read = streams.admit(ACTOR, stop.signal).pace(source().values);
    streams.admit(ACTOR, stop.signal);
    expect(() => streams.admit(ACTOR, stop.signal)).toThrow("this connection has 100 subscriptions: end some of them first");
    await read.next();
    await read.return(undefined);
    const again = streams.admit(ACTOR, others.signal);
    expect(() => streams.admit(ACTOR, stop.signal)).toThrow(expect.objectContaining({ code: "rate_limited" }));
    stop.abort();
    again.end();
    again.end();
    admitted[0]?.end();
    for (let i = 0; i < 3; i++) streams.admit(ACTOR, others.signal);
    expect(() => streams.admit(ACTOR, others.signal)).toThrow("100 subscriptions");
  });

  test("stopped before it is admitted is none", () => {
    const { streams } = scene();
    for (let i = 0; i < 200; i++) streams.admit(ACTOR, AbortSignal.abort());
    expect(() => streams.admit(ACTOR, new AbortController().signal)).not.toThrow();
  });
});
