import { expect, test } from "vitest";
import { transferHint } from "./transfer-hint.ts";

test.each([
  ["unauthorized: authentication required", "login"],
  ["pull access denied for web, repository does not exist or may require 'docker login'", "login"],
  ["manifest for nginx:9 not found: manifest unknown", "name"],
  ['Get "https://r:5000/v2/": http: server gave HTTP response to HTTPS client', "plainHttp"],
  ["getaddrinfo ENOTFOUND registry.example.test", "network"],
  ["write /x: no space left on device", "space"],
  ["The command '/bin/sh -c false' returned a non-zero code: 1", null],
])("%s: the next step is about %s", (message, hint) => expect(transferHint(message)).toBe(hint));
