/** Accepts the chosen records, and places or lifts holds on them. Says first which records that concerns. */
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import type { Flag } from "../../wasm/doorstep";
import { t, word } from "../../i18n";
import { Choices, Dialog, Select, TextField } from "../../ui/components";
import { HOLDS } from "../../ui/holds";
import type { BulkAction, OfficeRow } from "../api";
import { run } from "./bulk";

interface Props {
  rows: OfficeRow[];
  onClose: () => void;
}

/** Runs one action on records, which an undo takes back with another one. */
function act(rows: OfficeRow[], action: BulkAction, undo: BulkAction): void {
  void run(rows.map((row) => ({ row, action, undo })));
}

export function AcceptDialog({ rows, onClose }: Props): JSX.Element {
  const sealed = rows.filter((row) => row.stage === "sealed");
  const ready = sealed.filter((row) => row.conflicts === 0);
  const accept = (): void => {
    const at = Date.now();
    act(ready, { do: "accept", at }, { do: "undo_accept", at });
    onClose();
  };
  return (
    <ActionDialog title={t("office/bulk/accept_title")} count={ready.length} onApply={accept} onClose={onClose}>
      <ul class="flex flex-col gap-1" data-testid="bulk-preview">
        <li>{t("office/bulk/accepts", { n: ready.length })}</li>
        <LeftOut n={rows.length - sealed.length} text="not_sealed" />
        <LeftOut n={sealed.length - ready.length} text="in_conflict" />
      </ul>
      <p class="muted text-sm">{t("office/bulk/accept_text")}</p>
    </ActionDialog>
  );
}

const MODES = ["place", "lift"] as const;

export function HoldsDialog({ rows, onClose }: Props): JSX.Element {
  const [mode, setMode] = useState<(typeof MODES)[number]>("place");
  const [flag, setFlag] = useState<Flag | "">("");
  const [until, setUntil] = useState("");
  const [note, setNote] = useState("");
  const places = mode === "place";
  // A complaint is entered at the complaint desk, which holds its case.
  const kinds = HOLDS.filter((kind) => (places ? kind !== "complaint" : rows.some((row) => row.holds.includes(kind))));
  const chosen = kinds.find((kind) => kind === flag);
  const concerned = rows.filter((row) => chosen && row.holds.includes(chosen) !== places);
  // To the end of that day, by the clock of this computer.
  const end = until ? new Date(`${until}T23:59:59`).getTime() : null;
  const past = end !== null && end <= Date.now();
  const apply = (): void => {
    if (!chosen) return;
    const since = Date.now();
    const text = note.trim();
    const lift: BulkAction = places ? { do: "undo_hold", flag: chosen, since } : { do: "lift_hold", flag: chosen };
    // What was lifted is held again, without an end.
    const place: BulkAction = { do: "place_hold", flag: chosen, since, until: places ? end : null, note: text };
    if (places) act(concerned, place, lift);
    else act(concerned, lift, place);
    onClose();
  };
  return (
    <ActionDialog
      title={t("office/bulk/holds_title")}
      count={past ? 0 : concerned.length}
      onApply={apply}
      onClose={onClose}
    >
      <Choices
        label={t("office/bulk/holds_mode")}
        options={MODES}
        look="segments"
        value={mode}
        word={(option) => t(`office/bulk/holds_${option}`)}
        onChange={setMode}
      />
      <Select
        label={t("record/hold_kind")}
        options={kinds}
        value={chosen ?? ""}
        empty={t("office/choose")}
        word={(option) => word("flag", option)}
        onChange={setFlag}
      />
      {places && (
        <>
          <TextField
            label={t("office/bulk/holds_until")}
            type="date"
            value={until}
            error={past ? t("office/need_future") : undefined}
            onInput={setUntil}
          />
          <TextField label={t("record/hold_note")} lines={2} value={note} onInput={setNote} />
        </>
      )}
      {chosen && (
        <ul class="flex flex-col gap-1" data-testid="bulk-preview">
          <li>{t(places ? "office/bulk/holds_placed" : "office/bulk/holds_lifted", { n: concerned.length })}</li>
          <LeftOut n={rows.length - concerned.length} text={places ? "held_already" : "not_held"} />
        </ul>
      )}
      {!places && <p class="muted text-sm">{t("office/lift_text")}</p>}
    </ActionDialog>
  );
}

function ActionDialog(props: {
  title: string;
  count: number;
  onApply: () => void;
  onClose: () => void;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <Dialog
      title={props.title}
      onClose={props.onClose}
      actions={
        <button type="button" class="btn btn-primary" disabled={props.count === 0} onClick={props.onApply}>
          {t("office/bulk/apply", { n: props.count })}
        </button>
      }
    >
      {props.children}
    </Dialog>
  );
}

function LeftOut(props: { n: number; text: "not_sealed" | "in_conflict" | "held_already" | "not_held" }) {
  if (props.n === 0) return null;
  return <li class="muted">{t(`office/bulk/left_${props.text}`, { n: props.n })}</li>;
}
