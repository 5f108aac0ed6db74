import type { lookup } from "node:dns";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { sendWebhook } from "./send-webhook.ts";
import { makeWebhookSecret, retryAfterSeconds, signWebhook } from "./sign.ts";

const MESSAGE = { headers: {}, payload: "{}" };
/** A resolver that always gives these addresses. */
const gives = (...addresses: string[]): typeof lookup =>
  ((_name: string, _options: object, callback: (error: null, all: { address: string; family: number }[]) => void) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
    )) as unknown as typeof lookup;

describe("signWebhook", () => {
  test("gives the signature of Standard Webhooks' own example", () => {
    const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const message = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, payload: '{"test": 2432232314}' };
    expect(signWebhook(secret, message)).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  test("secrets have 32 bytes and differ", () => {
    const made = [makeWebhookSecret(), makeWebhookSecret()];
    expect(new Set(made).size).toBe(2);
    for (const secret of made) expect(Buffer.from(secret.slice(6), "base64")).toHaveLength(32);
  });
});

test("attempts are further and further apart, and end", () => {
  const waits = Array.from({ length: 8 }, (_, index) => retryAfterSeconds(index + 1) ?? 0);
  expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  expect(retryAfterSeconds(9)).toBeUndefined();
});

describe("sendWebhook (attack 13)", () => {
  test.each([
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://10.1.2.3/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://[fd00::1]/",
  ])("%s is not sent to", async (url) => {
    expect(await sendWebhook({ url, allowsPrivate: false }, MESSAGE)).toEqual({
      status: null,
      error: "the address is not public",
      answer: null,
    });
  });

  test.each(["https://169.254.169.254/", "https://[fe80::1]/", "https://0.0.0.0/", "https://[::]/"])("%s never is", async (url) => {
    expect(await sendWebhook({ url, allowsPrivate: true }, MESSAGE)).toMatchObject({ error: "the address is not public" });
  });

  test("a name whose addresses are not all public is not connected to", async () => {
    const target = { url: "https://hooks.example.test/", allowsPrivate: false };
    for (const addresses of [["127.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["::ffff:192.168.0.1"]])
      expect(await sendWebhook(target, MESSAGE, gives(...addresses))).toMatchObject({
        status: null,
        error: expect.stringContaining("not public"),
      });
    const allowed = { ...target, allowsPrivate: true };
    expect(await sendWebhook(allowed, MESSAGE, gives("169.254.169.254"))).toMatchObject({ error: expect.stringContaining("not public") });
  });

  test("of a long answer the beginning is kept, and the rest is not read", async () => {
    const server = createServer((_req, res) => {
      res.writeHead(500);
      res.write("x".repeat(2_000));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const url = `http://hooks.example.test:${(server.address() as AddressInfo).port}/`;
      const answer = await sendWebhook({ url, allowsPrivate: true }, MESSAGE, gives("127.0.0.1"));
      expect(answer).toEqual({ status: 500, error: "answered 500", answer: "x".repeat(1_024) });
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
