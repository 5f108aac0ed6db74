// A BPF program that looks at the packets that arrive at a link before the network stack does (tc-bpf(8)), as netlink messages. Pure.
import { encodeNested, encodeNumber, encodeText, NLM_F } from "./netlink-message.ts";
import type { NetlinkRequest } from "./netlink.ts";

const RTM = { NEWQDISC: 36, NEWTFILTER: 44, DELTFILTER: 45 } as const;
const TCA = { KIND: 1, OPTIONS: 2 } as const;
const TCA_BPF = { FD: 6, NAME: 7, FLAGS: 8 } as const;
/** The program's return value is what becomes of the packet. */
const ACT_DIRECT = 1;
const CLSACT = { parent: 0xffff_fff1, handle: 0xffff_0000 } as const;
const INGRESS = 0xffff_fff2;
/** EtherTypes in network order, each with a filter of its own: a filter's protocol cannot be changed in place. */
const FILTERS = [
  { priority: 1, protocol: 0x0008 },
  { priority: 2, protocol: 0xdd86 },
] as const;

/**
 * For packets of IPv4 and IPv6, in place of the program that is there, without a moment between. The qdisc stays: to take it away stops
 * the link for as long as all processors need. @param program its descriptor.
 */
export function attachRequests(linkIndex: number, program: number): NetlinkRequest[] {
  const options = encodeNested(TCA.OPTIONS, [
    encodeNumber(TCA_BPF.FD, program),
    encodeText(TCA_BPF.NAME, "flotilla"),
    encodeNumber(TCA_BPF.FLAGS, ACT_DIRECT),
  ]);
  return [
    {
      attempt: `add the qdisc for programs to link ${linkIndex}`,
      message: { type: RTM.NEWQDISC, flags: NLM_F.CREATE | NLM_F.EXCL, payload: clsact(linkIndex) },
      ignore: ["EEXIST"],
    },
    ...FILTERS.map(({ priority, protocol }) => {
      const filter = header(linkIndex, { parent: INGRESS, handle: 1, info: ((priority << 16) | protocol) >>> 0 });
      return {
        attempt: `attach a program to link ${linkIndex}`,
        message: { type: RTM.NEWTFILTER, flags: NLM_F.CREATE, payload: Buffer.concat([filter, encodeText(TCA.KIND, "bpf"), options]) },
      };
    }),
  ];
}

/** What `attachRequests` attached; a link that is gone has nothing. */
export const detachRequests = (linkIndex: number): NetlinkRequest[] =>
  FILTERS.map(({ priority, protocol }) => ({
    attempt: `detach a program from link ${linkIndex}`,
    message: {
      type: RTM.DELTFILTER,
      flags: 0,
      payload: header(linkIndex, { parent: INGRESS, handle: 0, info: ((priority << 16) | protocol) >>> 0 }),
    },
    ignore: ["ENODEV", "ENOENT", "EINVAL"],
  }));

const clsact = (linkIndex: number): Buffer => Buffer.concat([header(linkIndex, { ...CLSACT, info: 0 }), encodeText(TCA.KIND, "clsact")]);

/** struct tcmsg */
function header(linkIndex: number, fields: { parent: number; handle: number; info: number }): Buffer {
  const buffer = Buffer.alloc(20);
  buffer.writeInt32LE(linkIndex, 4);
  buffer.writeUInt32LE(fields.handle, 8);
  buffer.writeUInt32LE(fields.parent, 12);
  buffer.writeUInt32LE(fields.info, 16);
  return buffer;
}
