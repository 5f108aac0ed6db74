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
