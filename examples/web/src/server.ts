import { createServer } from "node:http";
import { hostname } from "node:os";
import { renderPage } from "./page";

const visits = new Map<string, number>();

const server = createServer((request, response) => {
  const path = new URL(request.url ?? "/", "http://localhost").pathname;
  if (path === "/healthz") {
    response.end("ok\n");
    return;
  }
  const count = (visits.get(path) ?? 0) + 1;
  visits.set(path, count);
  response.setHeader("Content-Type", "text/html; charset=utf-8");
  response.end(renderPage({ host: hostname(), path, count }));
});

server.listen(3000, () => process.stdout.write("listening on port 3000\n"));
// Process 1 has no default action for SIGTERM: without this, `docker stop` waits its ten seconds.
process.on("SIGTERM", () => server.close());
