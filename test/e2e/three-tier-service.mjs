// The middle tier: counts visits in PostgreSQL. It speaks the protocol itself (PostgreSQL documentation, chapter 54), one connection for each
// request, so that it needs no package.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";

const { VERSION = "", HOST = "", PASSWORD_FILE = "" } = process.env;
const password = readFileSync(PASSWORD_FILE, "utf8");

/** A message: type, length with itself, payload. */
function message(type, payload) {
  const body = Buffer.from(`${payload}\0`);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}

/** The first column of the first row. */
function query(text) {
  return new Promise((resolve, reject) => {
    const socket = connect(5432, HOST);
    socket.setTimeout(5_000, () => socket.destroy(new Error("the database does not answer")));
    let rest = Buffer.alloc(0);
    let value = "";
    socket.on("connect", () => socket.write(message("", "\0\u0003\0\0user\0app\0database\0postgres\0")));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the database ended the connection")));
    let isAsked = false;
    socket.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
        const length = rest.readUInt32BE(1);
        const type = rest.toString("latin1", 0, 1);
        const body = rest.subarray(5, length + 1);
        rest = rest.subarray(length + 1);
        if (type === "R" && body.readUInt32BE(0) === 3) socket.write(message("p", password));
        else if (type === "E") return socket.destroy(new Error(body.toString("utf8").replaceAll("\0", " ")));
        else if (type === "D") value = body.toString("utf8", 6);
        else if (type === "Z" && !isAsked) {
          isAsked = true;
          socket.write(message("Q", text));
        } else if (type === "Z") {
          resolve(value);
          socket.end();
        }
      }
    });
  });
}

const server = createServer((request, response) => {
  const answer = (status, text) => response.writeHead(status, { connection: "close" }).end(`${text}\n`);
  const failed = (error) => answer(503, error.message);
  if (request.url === "/health") query("SELECT 1 FROM visits LIMIT 0").then(() => answer(200, "well"), failed);
  else if (request.url === "/")
    query("INSERT INTO visits DEFAULT VALUES RETURNING id").then((id) => answer(200, `${VERSION} ${id}`), failed);
  else answer(404, "nothing here");
});
process.once("SIGTERM", () => server.close());
for (;;) {
  const made = await query("CREATE TABLE IF NOT EXISTS visits (id bigserial PRIMARY KEY)").then(
    () => true,
    (error) => {
      process.stderr.write(`${error.message}\n`);
      return false;
    },
  );
  if (made) break;
  await new Promise((resolve) => setTimeout(resolve, 200));
}
server.listen(3000);
