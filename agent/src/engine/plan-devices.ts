import { FlotillaError } from "@flotilla/core";
import type { HostConfig } from "@flotilla/engine-api";
import { findDevice, listDevices, realDevicePath } from "../host/devices.ts";
import type { SpecDevice } from "../runtime/spec-input.ts";

/** The host's devices that a container gets: all of them when privileged, else those of `--device`. @throws invalid. */
export function planDevices(hostConfig: Pick<HostConfig, "Privileged" | "Devices">): SpecDevice[] {
  const all = hostConfig.Privileged ? listDevices().map(({ path, node }) => ({ ...node, path, access: "rwm" })) : [];
  const named = (hostConfig.Devices ?? []).flatMap((device) => {
    const target = device.PathInContainer === "" ? device.PathOnHost : device.PathInContainer;
    return devicesAt(device.PathOnHost, target).map((found) => ({
      ...found,
      access: device.CgroupPermissions === "" ? "rwm" : device.CgroupPermissions,
    }));
  });
  return [...new Map([...all, ...named].map((device) => [device.path, device])).values()];
}

/** One device, or all below a directory. */
function devicesAt(path: string, target: string): Omit<SpecDevice, "access">[] {
  const real = realDevicePath(path);
  const node = findDevice(real);
  if (node !== undefined) return [{ ...node, path: target }];
  const below = listDevices(real);
  if (below.length === 0) {
    throw new FlotillaError(
      "invalid",
      `error gathering device information while adding custom device "${path}": no such file or directory`,
    );
  }
  return below.map((found) => ({ ...found.node, path: target + found.path.slice(real.length) }));
}
