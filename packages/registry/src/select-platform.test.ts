import { digestOfHex, type Descriptor } from "@flotilla/image";
import { describe, expect, test } from "vitest";
import { selectPlatform } from "./select-platform.ts";

const entry = (platform: string | undefined): Descriptor => {
  const [os = "", architecture = "", variant] = platform?.split("/") ?? [];
  return {
    mediaType: platform ?? "plain",
    digest: digestOfHex("a".repeat(64)),
    size: 1,
    ...(platform === undefined ? {} : { platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } }),
  };
};

describe("selectPlatform", () => {
  test.each<[(string | undefined)[], string, string | undefined]>([
    [["linux/arm64", "linux/amd64"], "linux/amd64", "linux/amd64"],
    [["windows/amd64"], "linux/amd64", undefined],
    [["unknown/unknown"], "linux/amd64", undefined],
    [["linux/arm/v6", "linux/arm/v7"], "linux/arm/v7", "linux/arm/v7"],
    [["linux/arm/v5", "linux/arm/v6"], "linux/arm/v7", "linux/arm/v6"],
    [["linux/arm/v7"], "linux/arm/v6", undefined],
    [["linux/arm"], "linux/arm/v7", "linux/arm"],
    [["linux/arm64/v8"], "linux/arm64", "linux/arm64/v8"],
    [["linux/arm64"], "linux/arm64/v8", "linux/arm64"],
    [["linux/amd64/v3", "linux/amd64"], "linux/amd64", "linux/amd64"],
    [["linux/amd64/v3"], "linux/amd64", "linux/amd64/v3"],
    [[undefined, "linux/s390x"], "linux/amd64", "plain"],
    [[undefined, "linux/amd64"], "linux/amd64", "linux/amd64"],
  ])("of %j for %s it is %s", (platforms, wanted, expected) => {
    const [os = "", architecture = "", variant] = wanted.split("/");
    expect(selectPlatform(platforms.map(entry), { os, architecture, ...(variant === undefined ? {} : { variant }) })?.mediaType).toBe(
      expected,
    );
  });
});
