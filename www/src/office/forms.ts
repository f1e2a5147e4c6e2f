/** What the parts of a record that the office edits are given. */
import type { VisitView } from "../wasm/doorstep";
import type { Apply } from "./formDraft";

export interface FormProps {
  view: VisitView;
  apply: Apply;
  /** Whether this user edits; others read. */
  writes: boolean;
}
