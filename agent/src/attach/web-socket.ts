import { createHash } from "node:crypto";
import { Duplex } from "node:stream";
import { FlotillaError, toFlotillaError } from "@flotilla/core";
import type { Call } from "../api/call.ts";
import { encodeFrame, FrameDecoder, OPCODE } from "./web-socket-frames.ts";

/** RFC 6455, section 1.3. */
const ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Status 1000, normal closure. */
const CLOSE_NORMAL = Buffer.from([0x03, 0xe8]);

/**
 * Checks a WebSocket handshake and gives the headers of its answer.
 * @throws FlotillaError `invalid`.
 */
export function acceptWebSocket(call: Call): Record<string, string> {
  const key = call.header("sec-websocket-key");
  if (key === undefined || !/^[+/0-9A-Za-z]{22}==$/.test(key) || call.header("sec-websocket-version") !== "13") {
    throw new FlotillaError("invalid", "not a WebSocket handshake of version 13");
  }
  return {
    "Sec-WebSocket-Accept": createHash("sha1")
      .update(key + ACCEPT_GUID)
      .digest("base64"),
  };
}

/** The payload of messages as a byte stream; what is written leaves as binary messages. */
export function webSocketDuplex(connection: Duplex): Duplex {
  const decoder = new FrameDecoder();
  const messages = new Duplex({
    read: () => connection.resume(),
    write: (chunk: Buffer, _encoding, done) => {
      if (connection.write(encodeFrame(OPCODE.binary, chunk))) done();
      else connection.once("drain", () => done());
    },
    final: (done) => {
      connection.write(encodeFrame(OPCODE.close, CLOSE_NORMAL));
      done();
    },
    destroy: (error, done) => {
      connection.destroy();
      done(error);
    },
  });
  connection.on("data", (chunk: Buffer) => {
    try {
      for (const { opcode, payload } of decoder.push(chunk)) {
        if (opcode === OPCODE.ping) connection.write(encodeFrame(OPCODE.pong, payload));
        else if (opcode === OPCODE.close) messages.push(null);
        else if (opcode !== OPCODE.pong && !messages.push(payload)) connection.pause();
      }
    } catch (error) {
      messages.destroy(toFlotillaError(error));
    }
  });
  connection.on("end", () => messages.push(null));
  connection.on("close", () => messages.destroy());
  messages.on("error", () => undefined);
  return messages;
}
