import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { isSealed, parsePassphrase, seal, unseal } from "./seal-backup.ts";

const passphrase = "correct horse battery";
const plain = randomBytes(300_000);
const sealed = await buffer(await seal(Readable.from([plain.subarray(0, 1000), plain.subarray(1000)]), passphrase, 10));

describe("a backup with a passphrase", () => {
  test("comes back byte for byte, and is not to be read without", async () => {
    expect(isSealed(sealed)).toBe(true);
    expect(isSealed(plain)).toBe(false);
    expect(isSealed(Buffer.from("age"))).toBe(false);
    expect(sealed.includes(plain.subarray(0, 16))).toBe(false);
    expect(plain.equals(await buffer(await unseal(Readable.from([sealed]), passphrase)))).toBe(true);
  });

  test("another passphrase opens nothing", async () => {
    await expect(unseal(Readable.from([sealed]), "wrong horse battery")).rejects.toMatchObject({ code: "forbidden" });
  });

  test("what was changed or cut off breaks", async () => {
    const changed = Buffer.from(sealed);
    const last = changed.length - 5;
    changed.writeUInt8(changed.readUInt8(last) ^ 1, last);
    for (const damaged of [changed, sealed.subarray(0, sealed.length - 100)])
      await expect(unseal(Readable.from([damaged]), passphrase).then(buffer)).rejects.toThrow();
  });

  test("is the first line of a file, and not a short one", () => {
    expect(parsePassphrase(`${passphrase}\nmore`)).toBe(passphrase);
    expect(() => parsePassphrase("short\n")).toThrow("at least 12 characters");
    expect(() => parsePassphrase("")).toThrow("at least 12 characters");
  });
});
