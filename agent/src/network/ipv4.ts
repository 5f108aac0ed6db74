export {
  containsAddress,
  formatAddress,
  formatSubnet,
  macOfAddress,
  parseAddress,
  parseSubnet,
  subnetOf,
  subnetSize,
  subnetsOverlap,
  type Subnet,
} from "@flotilla/core";
