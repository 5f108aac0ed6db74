// What a client sees that is attached before a container starts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Duplex, PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { silentLogger } from "@flotilla/core";
import { expect, test } from "vitest";
import { AttachService } from "../../agent/src/attach/attach-service.ts";
import { EventBus } from "../../agent/src/events/bus.ts";
import { CONMON_PID_FILE } from "../../agent/src/host/conmon.ts";
import { NS, withEngine } from "../support/engine.ts";

test("a program begins when conmon has taken its client, and all that it says is heard", async () => {
  await withEngine(async (t) => {
    const id = await t.create({ Cmd: ["echo", "hello"] });
    const said = new PassThrough();
    const client = Duplex.from({ readable: new PassThrough(), writable: said });
    const attach = new AttachService({ containers: t.engine, events: new EventBus(), logger: silentLogger });
    const order: string[] = [];
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    // The first to be asked: conmon is stopped before anybody connects to it.
    t.engine.onBeforeStart(id, async () => {
      const conmon = Number(readFileSync(join(t.config.runDir, "containers", id, CONMON_PID_FILE), "utf8"));
      process.kill(conmon, "SIGSTOP");
      void released.then(() => {
        order.push("conmon goes on");
        process.kill(conmon, "SIGCONT");
      });
    });
    const output = { stdout: true, stderr: true };
    const session = attach.prepare({ view: t.engine.get(NS, id), stdin: false, output, detachKeys: new Uint8Array() });
    const heard: Buffer[] = [];
    said.on("data", (chunk: Buffer) => heard.push(chunk));
    const ran = session.run(client);
    const started = t.engine.start(NS, id).then(() => order.push("it has started"));
    await sleep(200);
    expect(order).toEqual([]);
    release();
    await Promise.all([started, ran]);
    expect(order).toEqual(["conmon goes on", "it has started"]);
    expect(Buffer.concat(heard).toString()).toContain("hello\n");
  });
});
