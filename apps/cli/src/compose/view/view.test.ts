import { PassThrough } from "node:stream";
import { encodeStdcopy } from "@flotilla/engine-api";
import { describe, expect, test } from "vitest";
import { LogPrinter } from "./log-printer.ts";
import { Session } from "../session.ts";
import { createProgress } from "./progress.ts";
import { ago, humanSize, portsText, table } from "./table.ts";

function sink(): { text: () => string; write: (text: string) => void } {
  let written = "";
  return { text: () => written, write: (text) => void (written += text) };
}

async function print(
  chunks: readonly Buffer[],
  options: { colour?: boolean; prefix?: boolean; isMultiplexed?: boolean } = {},
): Promise<{ out: string; err: string }> {
  const [stdout, stderr] = [sink(), sink()];
  const printer = new LogPrinter({ prefix: options.prefix !== false, colour: options.colour === true, stdout, stderr });
  printer.register("web-1");
  printer.register("database-1");
  const body = new PassThrough();
  for (const chunk of chunks) body.write(chunk);
  body.end();
  await printer.print("web-1", body, options.isMultiplexed !== false);
  return { out: stdout.text(), err: stderr.text() };
}

describe("logs", () => {
  test("stand behind names of one width, each stream on its own", async () => {
    const frames = [
      encodeStdcopy(1, Buffer.from("one\ntw")),
      encodeStdcopy(2, Buffer.from("bad\r\n")),
      encodeStdcopy(1, Buffer.from("o\nrest")),
    ];
    expect(await print(frames)).toEqual({ out: "web-1       | one\nweb-1       | two\nweb-1       | rest\n", err: "web-1       | bad\n" });
  });

  test("are put together from chunks that cut frames and characters", async () => {
    const whole = encodeStdcopy(1, Buffer.from("grüße\n"));
    expect((await print([...whole].map((byte) => Buffer.from([byte])))).out).toBe("web-1       | grüße\n");
  });

  test("of a terminal have no frames; without prefix only the lines are left; colours go around the prefix", async () => {
    expect((await print([Buffer.from("a\r\nb\n")], { isMultiplexed: false, prefix: false })).out).toBe("a\nb\n");
    expect((await print([Buffer.from("a\n")], { isMultiplexed: false, colour: true })).out).toBe("\u001B[36mweb-1       | \u001B[0ma\n");
  });

  test("a line without end is cut before it fills the memory", async () => {
    const { out } = await print(
      Array.from({ length: 10 }, () => Buffer.alloc(100_000, "x")),
      { isMultiplexed: false, prefix: false },
    );
    expect(out.split("\n").length).toBeGreaterThan(2);
    expect(out.replaceAll("\n", "")).toHaveLength(1_000_000);
  });
});

describe("progress", () => {
  const events = [
    { kind: "Container", name: "a", status: "Creating" },
    { kind: "Image", name: "i", status: "Pulling", detail: "abc Downloading" },
    { kind: "Container", name: "a", status: "Created" },
  ] as const;

  test("is one line for each change where there is no terminal, without details", () => {
    const stream = sink();
    const progress = createProgress(stream, { ansi: false, colour: false });
    for (const event of events) progress.set(event);
    progress.note("a sentence");
    expect(stream.text()).toBe(" Container a  Creating\n Container a  Created\na sentence\n");
  });

  test("is drawn anew on a terminal, cut to its size", () => {
    const stream = { ...sink(), columns: 30, rows: 5 };
    const progress = createProgress(stream, { ansi: true, colour: false });
    for (const event of events) progress.set(event);
    const last = stream.text().split("\u001B[J").at(-1) ?? "";
    expect(last).toBe("[+] Running 1/2\n ✔ Container a  Created\n ⠿ Image i  Pulling abc Downl\n");
    for (let at = 0; at < 20; at++) progress.set({ kind: "Volume", name: `v${at}`, status: "Created" });
    expect((stream.text().split("\u001B[J").at(-1) ?? "").trim().split("\n")).toHaveLength(4);
  });

  test("wipes away no line that something else writes between", () => {
    const stream = { ...sink(), columns: 30, rows: 5 };
    const progress = createProgress(stream, { ansi: true, colour: false });
    const list = "[+] Running 0/1\n ⠿ Container a  Stopping\n";
    progress.set({ kind: "Container", name: "a", status: "Stopping" });
    progress.beside(() => stream.write("web-1  | a line\n"));
    expect(stream.text()).toBe(`${list}\u001B[2A\u001B[Jweb-1  | a line\n${list}`);
    progress.end();
    progress.beside(() => stream.write("the end\n"));
    expect(stream.text().endsWith(`${list}the end\n`)).toBe(true);
  });

  test("stands below what a session writes", () => {
    const stream = { ...sink(), isTTY: true, columns: 80, rows: 5 };
    const io = { environment: {}, stdout: stream, stderr: stream, version: "1", workingDir: "/" };
    const session = new Session({}, io);
    expect(session.hasColour).toBe(true);
    session.progress.set({ kind: "Container", name: "a", status: "Stopping" });
    session.stdout.write("out\n");
    session.warn("err");
    expect(
      stream
        .text()
        .split("\u001B[2A\u001B[J")
        .map((part) => part.split("\n")[0]),
    ).toEqual(["[+] Running 0/1", "out", "WARN err"]);
  });
});

describe("tables", () => {
  test("have columns as wide as their longest text", () => {
    expect(
      table(
        ["A", "LONG"],
        [
          ["value", "x"],
          ["", "y"],
        ],
      ),
    ).toBe("A       LONG\nvalue   x\n        y");
  });

  test.each([
    [0, "0 seconds ago"],
    [1, "1 second ago"],
    [59, "59 seconds ago"],
    [60, "1 minute ago"],
    [7200, "2 hours ago"],
    [86_400 * 3, "3 days ago"],
    [86_400 * 15, "2 weeks ago"],
    [86_400 * 60, "2 months ago"],
    [-5, "0 seconds ago"],
  ])("%i s are %s", (seconds, expected) => {
    expect(ago(seconds)).toBe(expected);
  });

  test.each([
    [0, "0B"],
    [999, "999B"],
    [1_982_000, "1.982MB"],
    [4_210_000_000, "4.21GB"],
  ])("%i bytes are %s", (bytes, expected) => {
    expect(humanSize(bytes)).toBe(expected);
  });

  test("ports are told once each", () => {
    const port = { IP: "0.0.0.0", PrivatePort: 80, PublicPort: 8080, Type: "tcp" };
    expect(portsText([port, port, { PrivatePort: 443, Type: "tcp" }])).toBe("0.0.0.0:8080->80/tcp, 443/tcp");
  });
});
