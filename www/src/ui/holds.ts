/** Kinds of holds, in the order in which both apps offer and list them. */
import type { Flag } from "../wasm/doorstep";

export const HOLDS: readonly Flag[] = [
  "dispute",
  "complaint",
  "attorney",
  "vulnerable",
  "cease_contact",
  "active_plan",
  "bankruptcy",
  "deceased",
  "bereavement",
];
