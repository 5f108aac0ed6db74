import { expect, test } from "vitest";
import { portLabels, publishedUrl } from "./ports.ts";

test("a port published for IPv4 and IPv6 is named once, published ones first", () => {
  expect(
    portLabels([
      { PrivatePort: 9000, Type: "tcp" },
      { IP: "0.0.0.0", PrivatePort: 80, PublicPort: 8080, Type: "tcp" },
      { IP: "::", PrivatePort: 80, PublicPort: 8080, Type: "tcp" },
      { IP: "127.0.0.1", PrivatePort: 53, PublicPort: 5353, Type: "udp" },
    ]),
  ).toEqual(["8080→80", "127.0.0.1:5353→53/udp", "9000"]);
});

test.each([
  [{ address: "0.0.0.0", port: "8080" }, "10.0.0.5", "http://10.0.0.5:8080"],
  [{ address: "::", port: "8080" }, "fd00::5", "http://[fd00::5]:8080"],
  [{ address: "127.0.0.1", port: "80" }, "10.0.0.5", null],
  [{ address: "127.0.0.1", port: "80" }, "127.0.0.1", "http://127.0.0.1:80"],
  [{ address: "192.168.1.2", port: "80" }, "10.0.0.5", "http://192.168.1.2:80"],
])("%o seen from %s is %s", (binding, host, url) => expect(publishedUrl(binding, host)).toBe(url));
