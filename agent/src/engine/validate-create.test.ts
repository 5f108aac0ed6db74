import { ContainerConfig, HostConfig } from "@flotilla/engine-api";
import { describe, expect, test } from "vitest";
import { splitExtraHost, validateCreate } from "./validate-create.ts";

const validate = (config: Record<string, unknown>, hostConfig: Record<string, unknown>): void =>
  validateCreate(ContainerConfig.parse(config), HostConfig.parse(hostConfig), { cpus: 2 });

const MIB = 1024 * 1024;

describe("validateCreate", () => {
  test("what the docker command sends for a plain run is fine", () => {
    const hostConfig = {
      MemorySwappiness: -1,
      RestartPolicy: { Name: "no" },
      NetworkMode: "default",
      ShmSize: 0,
      BlkioWeight: 0,
      PidsLimit: 0,
      OomKillDisable: false,
    };
    expect(() => validate({ Hostname: "", StopSignal: "SIGINT", WorkingDir: "/a" }, hostConfig)).not.toThrow();
  });

  test.each([
    [{ Memory: 5 * MIB }, "Minimum memory limit allowed is 6MB"],
    [{ Memory: 8 * MIB, MemorySwap: 7 * MIB }, "Minimum memoryswap limit should be larger than memory limit"],
    [{ MemorySwap: 7 * MIB }, "You should always set the Memory limit when using Memoryswap limit"],
    [{ Memory: 8 * MIB, MemoryReservation: 9 * MIB }, "Minimum memory limit can not be less than memory reservation limit"],
    [{ MemorySwappiness: 101 }, "valid memory swappiness range is 0-100"],
    [{ NanoCpus: 3e9 }, "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"],
    [{ NanoCpus: 1e9, CpuQuota: 5 }, "Conflicting options: Nano CPUs and CPU Quota cannot both be set"],
    [{ CpuPeriod: 1 }, "CPU cfs period can not be less than 1ms"],
    [{ CpuQuota: 1 }, "CPU cfs quota can not be less than 1ms"],
    [{ CpusetCpus: "0-7" }, "Requested CPUs are not available - requested 0-7, available: 0-1."],
    [{ CpusetCpus: "a" }, "Invalid value a for cpuset"],
    [{ BlkioWeight: 5 }, "Range of blkio weight is from 10 to 1000"],
    [{ OomScoreAdj: 2000 }, "range for oom score adj is [-1000, 1000]"],
    [{ RestartPolicy: { Name: "sometimes" } }, "invalid restart policy: unknown policy 'sometimes'"],
    [{ RestartPolicy: { Name: "always", MaximumRetryCount: 2 } }, "maximum retry count can only be used with 'on-failure'"],
    [{ AutoRemove: true, RestartPolicy: { Name: "always" } }, "can't create 'AutoRemove' container with restart policy"],
    [{ IpcMode: "x" }, "invalid IPC mode: x"],
    [{ PidMode: "container:" }, "invalid PID mode: container:"],
    [{ UsernsMode: "x" }, "invalid user namespace mode"],
    [{ Runtime: "kata" }, "unknown or invalid runtime name: kata"],
    [{ LogConfig: { Type: "syslog" } }, "logger: no log driver named 'syslog' is registered"],
    [{ ExtraHosts: ["a"] }, 'bad format for add-host: "a"'],
    [{ ExtraHosts: ["a:b"] }, 'invalid IP address in add-host: "b"'],
    [{ Devices: [{ PathOnHost: "/dev/x", CgroupPermissions: "q" }] }, "invalid device mode: q"],
    [{ DeviceCgroupRules: ["c 1"] }, "invalid device cgroup rule format"],
    [{ DeviceRequests: [{ Driver: "" }] }, "could not select device driver"],
    [{ Ulimits: [{ Name: "wings", Soft: 1, Hard: 1 }] }, "invalid ulimit type: wings"],
    [{ Annotations: { "run.oci.seccomp_bpf_data": "" } }, 'invalid annotation: "run.oci.seccomp_bpf_data" is reserved'],
    [{ StorageOpt: { size: "1G" } }, "--storage-opt is not supported"],
  ])("%j is refused", (hostConfig, message) => {
    expect(() => validate({}, hostConfig)).toThrow(message);
  });

  test.each([
    [{ WorkingDir: "a" }, "the working directory 'a' is invalid, it needs to be an absolute path"],
    [{ StopSignal: "NOPE" }, "invalid signal: NOPE"],
    [{ Env: ["=x"] }, "invalid environment variable: =x"],
    [{ Cmd: ["a\0b"] }, "NUL byte"],
    [{ Hostname: "a b" }, "invalid hostname format"],
    [{ Healthcheck: { Interval: 5 } }, "Interval in Healthcheck cannot be less than 1ms"],
  ])("%j is refused", (config, message) => {
    expect(() => validate(config, {})).toThrow(message);
  });

  test("the network of another container takes no hostname, ports or names of one's own", () => {
    const shared = { NetworkMode: "container:x" };
    expect(() => validate({ Hostname: "a" }, shared)).toThrow("conflicting options: hostname and the container type network mode");
    expect(() => validate({}, { ...shared, PortBindings: { "80/tcp": [] } })).toThrow(
      "port publishing and the container type network mode",
    );
    expect(() => validate({}, { ...shared, Dns: ["1.1.1.1"] })).toThrow("dns and the container type network mode");
  });
});

test.each([
  ["db:10.0.0.1", "db", "10.0.0.1"],
  ["db=10.0.0.1", "db", "10.0.0.1"],
  ["six:fe80::1", "six", "fe80::1"],
  ["six=[fe80::1]", "six", "fe80::1"],
  ["host:host-gateway", "host", "host-gateway"],
])("%s names %s as %s", (entry, name, address) => {
  expect(splitExtraHost(entry)).toEqual({ name, address });
});
