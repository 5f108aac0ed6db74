import { type LookupAddress, lookup as dnsLookup } from "node:dns";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { isPublicAddress } from "@flotilla/registry";

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 1_024;

export type WebhookTarget = { url: string; allowsPrivate: boolean };
export type WebhookAnswer = { status: number | null; error: string | null; answer: string | null };

/** Cloud providers tell secrets at link-local addresses: nobody is sent there, whoever allowed it. */
function isForbidden(address: string, allowsPrivate: boolean): boolean {
  const plain = address.replace(/^::ffff:/i, "");
  if (/^169\.254\.|^0\.|^fe[89ab]/i.test(plain) || plain === "::") return true;
  return !allowsPrivate && !isPublicAddress(plain);
}

/**
 * Sends one message. The address that the name gives is looked at and then connected to, so that a name cannot give another one
 * meanwhile; redirects are not followed. Never throws: what went wrong is in the answer.
 */
export async function sendWebhook(
  target: WebhookTarget,
  message: { headers: Record<string, string>; payload: string },
  resolve: typeof dnsLookup = dnsLookup,
): Promise<WebhookAnswer> {
  const url = new URL(target.url);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0 && isForbidden(host, target.allowsPrivate)) return failed("the address is not public");
  const lookup: LookupFunction = (name, options, callback) => {
    resolve(name, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) return callback(error, "", 4);
      const [first] = addresses;
      if (first === undefined || addresses.some(({ address }) => isForbidden(address, target.allowsPrivate)))
        return callback(new Error("the name gives an address that is not public"), "", 4);
      // Happy eyeballs ask for all, others for one.
      if (options.all === true) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
  return new Promise((done) => {
    const send = url.protocol === "https:" ? requestHttps : requestHttp;
    const headers = { ...message.headers, "content-type": "application/json", "content-length": Buffer.byteLength(message.payload) };
    const req = send(url, { method: "POST", headers, lookup, agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) }, (res) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const end = (): void => {
        res.destroy();
        const status = res.statusCode ?? 0;
        const answer = Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString("utf8").replaceAll("\u0000", "\ufffd");
        done({ status, error: status >= 200 && status < 300 ? null : `answered ${status}`, answer });
      };
      res.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size >= MAX_ANSWER_BYTES) end();
      });
      res.on("end", end);
      res.on("error", end);
    });
    req.on("error", (error) => done(failed(error.name === "TimeoutError" ? "no answer in time" : error.message)));
    req.end(message.payload);
  });
}

function failed(error: string): WebhookAnswer {
  return { status: null, error: error.slice(0, 500), answer: null };
}
