/** What a record lacks for a review: missing, unknown, or not arrived. */
import type { VisitView } from "../../wasm/doorstep";
import { t, textFor, word } from "../../i18n";
import type { AttachmentArrival } from "../api";
import { pathName } from "../fieldLabels";

export interface Gap {
  text: string;
  /** The field to mark; empty if the collector cannot add it. */
  path: string;
}

/** The gaps; `arrivals` is null while unknown. */
export function gapsOf(view: VisitView, arrivals: readonly AttachmentArrival[] | null): Gap[] {
  const { visit, seal, attachments } = view;
  const gaps: Gap[] = [];
  for (const path of view.steps.flatMap(({ missing }) => missing)) {
    const text = textFor(`office/reading/gap/${path}`) ?? t("office/reading/gap/field", { field: pathName(path) });
    gaps.push({ text, path: path === "seal" ? "" : path });
  }
  if (visit.arrived_at !== null && visit.position === null) {
    gaps.push({ text: t("office/reading/gap/position"), path: "visit.position" });
  }
  for (const { item, answer } of view.checks) {
    if (answer === "not_possible") {
      gaps.push({ text: t("office/reading/gap/not_possible", { what: word("check", item) }), path: `checks.${item}` });
    }
  }
  if (seal && !seal.signatures.some(({ standing, sound }) => standing && sound)) {
    gaps.push({ text: t("office/reading/gap/signature"), path: "" });
  }
  if (seal?.changed) gaps.push({ text: t("office/reading/gap/changed"), path: "" });
  if (view.conflicts.length > 0) {
    gaps.push({ text: t("office/reading/gap/conflicts", { n: view.conflicts.length }), path: "" });
  }
  for (const { sha256, received_at } of arrivals ?? []) {
    if (received_at !== null) continue;
    const named = attachments.find((attachment) => attachment.sha256 === sha256);
    const what = named ? [word("attachment", named.kind), named.caption].filter(Boolean).join(" · ") : sha256;
    gaps.push({ text: t("office/reading/gap/attachment", { what }), path: "attachments" });
  }
  return gaps;
}
