/**
 * The endpoint that a container's default route leads through, and that carries its published ports: Docker's choice, the
 * first by network name of those that lead out. Pure.
 */
export function gatewayEndpoint<T extends { network_id: string }>(
  endpoints: readonly T[],
  networkOf: (id: string) => { name: string; is_internal: boolean },
): T | undefined {
  const outward = endpoints
    .map((endpoint) => ({ endpoint, network: networkOf(endpoint.network_id) }))
    .filter(({ network }) => !network.is_internal);
  const [first] = outward.sort((a, b) => (a.network.name < b.network.name ? -1 : Number(a.network.name > b.network.name)));
  return first?.endpoint;
}

/** The same for IPv6, which may lead another way: of the bridges that have it. */
export function gatewayEndpoint6<T extends { network_id: string; address6: string }>(
  endpoints: readonly T[],
  networkOf: (id: string) => { name: string; is_internal: boolean; gateway6: string },
): T | undefined {
  return gatewayEndpoint(
    endpoints.filter(({ address6, network_id: id }) => address6 !== "" && networkOf(id).gateway6 !== ""),
    networkOf,
  );
}
