// A peer for network tests, run inside a network namespace: `serve tcp|udp PORT NAME` answers every caller with its name
// and the caller's address; `ask tcp|udp ADDRESS PORT MS` prints an answer, or `no answer: WHY` after so long; `insist
// udp ADDRESS PORT` sends from one port without pause, prints each new answer as a line, and never gives up.
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";

const [verb, protocol, ...rest] = process.argv.slice(2);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

function serve(port: number, name: string): void {
  if (protocol === "tcp") {
    createServer((socket) => {
      socket.on("error", () => undefined);
      socket.end(`${name} saw ${socket.remoteAddress ?? ""}`);
    }).listen(port, "0.0.0.0", () => say("ready"));
    return;
  }
  const socket = createSocket("udp4");
  socket.on("message", (_, from) => socket.send(`${name} saw ${from.address}`, from.port, from.address));
  socket.bind(port, "0.0.0.0", () => say("ready"));
}

function ask(address: string, port: number, patienceMs: number): void {
  const finish = (text: string): void => {
    say(text);
    process.exit(0);
  };
  setTimeout(() => finish("no answer: timeout"), patienceMs);
  if (protocol === "tcp") {
    const socket = connect({ host: address, port });
    socket.on("data", (data) => finish(data.toString()));
    socket.on("error", (error) => finish(`no answer: ${"code" in error ? String(error.code) : error.message}`));
    return;
  }
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("message", (data) => finish(data.toString()));
  socket.on("error", (error) => finish(`no answer: ${error.message}`));
  socket.send("?", port, address);
}

function insist(address: string, port: number): void {
  const socket = createSocket("udp4");
  let last = "";
  socket.on("error", () => undefined);
  socket.on("message", (data) => {
    if (data.toString() !== last) say((last = data.toString()));
  });
  socket.bind(() => {
    say("ready");
    setInterval(() => socket.send("?", port, address), 20);
  });
}

const [first = "", second = "", third = ""] = rest;
if (verb === "serve") serve(Number(first), second);
else if (verb === "insist") insist(first, Number(second));
else ask(first, Number(second), Number(third));
