import { describe, expect, test } from "vitest";
import { listensAt, parseListening } from "./listening-sockets.ts";

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 26 1 0000000000000000 100 0 0 10 0
   1: 11403F0A:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 27 1 0000000000000000 100 0 0 10 0
   2: 0100007F:1F91 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 28 1 0000000000000000 100 0 0 10 0
`;
const TCP6 = `  sl  local_address                         remote_address                        st tx_queue
   0: 00000000000000000000000000000000:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000
   1: 000060FD000000000000000021003C0A:0052 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000
`;
const UDP = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when
  120: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 30 2
  121: 0100007F:0036 0100007F:0035 01 00000000:00000000 00:00000000 00000000     0        0 31 2
`;

describe("what is listened on", () => {
  test("addresses of both families, and no connections", () => {
    expect(parseListening(TCP, "tcp")).toEqual([
      { address: "127.0.0.1", port: 8080 },
      { address: "10.63.64.17", port: 80 },
    ]);
    expect(parseListening(TCP6, "tcp")).toEqual([
      { address: "::", port: 81 },
      { address: "fd60::a3c:21", port: 82 },
    ]);
    expect(parseListening(UDP, "udp")).toEqual([{ address: "0.0.0.0", port: 53 }]);
  });

  test.each(["", "no such file", "   0: 0100007F:1F90"])("nothing in %j", (text) => expect(parseListening(text, "tcp")).toEqual([]));
});

const at = (address: string, port: number) => listensAt([...parseListening(TCP, "tcp"), ...parseListening(TCP6, "tcp")], { address, port });

test.each([
  ["its own address", "10.63.64.17", 80, "here"],
  ["loopback alone", "10.63.64.17", 8080, "elsewhere"],
  ["loopback from inside", "127.0.0.1", 8080, "here"],
  ["every address, by IPv6's wildcard", "10.63.64.17", 81, "here"],
  ["another port", "10.63.64.17", 9999, "nowhere"],
  ["a connection's port", "127.0.0.1", 8081, "nowhere"],
] as const)("%s: %s port %i is listened on %s", (_what, address, port, expected) => expect(at(address, port)).toBe(expected));

test("IPv4's wildcard does not take IPv6", () =>
  expect(listensAt([{ address: "0.0.0.0", port: 80 }], { address: "fd60::1", port: 80 })).toBe("elsewhere"));
