import { createFlotillaClient, isRefusal } from "@flotilla/client";

const { FLOTILLA_URL: url = "", FLOTILLA_TOKEN: token = "" } = process.env;
const client = createFlotillaClient({ url, token });

for (const host of await client.hosts.list.query()) process.stdout.write(`${host.name} is ${host.state}\n`);
try {
  await client.hosts.get.query({ host: "no-such-host" });
} catch (error) {
  if (!isRefusal(error)) throw error;
  process.stdout.write(`${error.data?.code ?? ""}: ${error.message}\n`);
}
