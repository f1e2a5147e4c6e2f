/** Seal and review of a record: accept it, or return it with marked fields. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { X } from "lucide-preact";
import type { ReviewMark, ReviewStatus } from "../../wasm/doorstep";
import { t, word } from "../../i18n";
import { formatDateTime } from "../../ui/format";
import { Alert, Field } from "../../ui/components";
import { api, type ReviewState } from "../api";
import { fullRemark, ownRemark } from "../../ui/reviewRemark";
import { pathName } from "../fieldLabels";
import { SubmitResult, useSubmit, useUnloadWarning, type FormProps } from "../formDraft";
import { ByLine, Card, Facts } from "../layout";
import { announceChange } from "../list/live";
import { me } from "../state";
import { useRequest } from "../useRequest";
import type { MarkNotes } from "./useMarks";
import { useShortcuts } from "./shortcuts";

/** Longest note, as the office has it. */
const NOTE_LENGTH = 400;

type Proposal = NonNullable<ReviewState["proposal"]>;

interface Props extends FormProps {
  marks: MarkNotes;
  /** The acceptance that waits for a second person. */
  proposal: Proposal | null;
  /** Loads the record, its proposal and its audit again. */
  reload: () => void;
}

export function ReviewPanel(props: Props): JSX.Element {
  const { review, seal, stage } = props.view;
  const decided = review.status !== "pending";
  return (
    <Card title={t("office/review_title")}>
      <Facts
        rows={[
          [word("field", "seal"), seal ? <ByLine by={seal.by} at={formatDateTime(seal.at)} /> : t("office/no_seal")],
          [t("office/device"), seal && <span class="font-mono text-xs">{seal.device.slice(0, 8)}</span>],
          [word("field", "review.status"), word("review", review.status)],
          [t("office/reviewed_by"), review.at !== null && <ByLine by={review.by} at={formatDateTime(review.at)} />],
          [word("field", "review.remark"), ownRemark(review)],
        ]}
      />
      {review.marks.length > 0 && (
        <ul class="flex flex-col gap-1 text-sm" data-testid="returned-marks">
          {review.marks.map(({ path, note }) => (
            <li key={path} class="border-accent border-l-2 pl-2">
              <span class="font-medium">{pathName(path)}</span>: {note}
            </li>
          ))}
        </ul>
      )}
      {props.writes && stage === "sealed" && <ReviewForm {...props} />}
      {props.writes && decided && <UndoReview {...props} />}
      {stage !== "sealed" && stage !== "reviewed" && <p class="muted text-sm">{t("office/not_sealed")}</p>}
    </Card>
  );
}

type Problem = "remark" | "notes" | "marked";

/** Who accepted the record first, and why; that person can withdraw it. */
function FirstPerson({ proposal, reload }: { proposal: Proposal; reload: () => void }): JSX.Element {
  const request = useRequest(() => {
    announceChange();
    reload();
  });
  const own = proposal.proposed_by === me.value?.user;
  return (
    <div class="border-accent flex flex-col gap-2 border-l-2 pl-2 text-sm" data-testid="first-acceptance">
      <p>{t(own ? "office/approvals/first_own" : "office/approvals/first", { user: proposal.proposed_by })}</p>
      <p class="muted">{proposal.reason}</p>
      {own && (
        <button
          type="button"
          class="btn btn-outline btn-sm self-start"
          disabled={request.busy}
          onClick={() => request.send(() => api.withdraw(proposal.number))}
        >
          {t("office/approvals/withdraw")}
        </button>
      )}
      {request.error && <Alert tone="error">{request.error}</Alert>}
    </div>
  );
}

function ReviewForm({ apply, marks, proposal, reload }: Props): JSX.Element {
  const [remark, setRemark] = useState("");
  const [problem, setProblem] = useState<Problem | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const submit = useSubmit(apply);
  const second = useRequest(() => {
    announceChange();
    reload();
  });
  const busy = submit.busy || second.busy;
  const isSecond = proposal !== null && proposal.proposed_by !== me.value?.user;
  const list: ReviewMark[] = [...marks.notes].map(([path, note]) => ({ path, note: note.trim() }));
  useUnloadWarning(remark !== "" || list.length > 0);
  const decide = async (status: ReviewStatus, found: Problem | null, sent: ReviewMark[]): Promise<void> => {
    setProblem(found);
    if (found || busy) return;
    if (isSecond && status === "accepted") return second.send(() => api.approve(proposal.number, remark.trim()));
    const text = fullRemark(remark, sent, pathName);
    if (!(await submit.send({ do: "review", status, remark: text, marks: sent, at: Date.now() }))) return;
    setRemark("");
    marks.clear();
  };
  const accept = (): void => void decide("accepted", list.length > 0 ? "marked" : null, []);
  const giveBack = (): void => {
    const silent = remark.trim() === "" && list.length === 0;
    const unsaid = list.some(({ note }) => note === "");
    void decide("returned", silent ? "remark" : unsaid ? "notes" : null, list);
    if (silent) field.current?.focus();
  };
  useShortcuts({ a: accept, r: giveBack });
  return (
    <form class="flex flex-col gap-3" onSubmit={(event) => event.preventDefault()} data-testid="review-form">
      {list.length > 0 && (
        <ul class="flex flex-col gap-2">
          {list.map(({ path }) => (
            <li key={path}>
              <MarkNote path={path} marks={marks} missing={problem === "notes"} />
            </li>
          ))}
        </ul>
      )}
      <Field
        label={t("office/remark")}
        hint={list.length === 0 ? t("office/reading/mark_hint") : undefined}
        error={problem === "remark" ? t("office/reading/remark_or_marks") : undefined}
      >
        {(id, note) => (
          <textarea
            ref={field}
            id={id}
            aria-describedby={note}
            aria-invalid={problem === "remark"}
            rows={2}
            class="textarea w-full"
            readOnly={submit.busy}
            value={remark}
            onInput={(event) => setRemark(event.currentTarget.value)}
          />
        )}
      </Field>
      {proposal && <FirstPerson proposal={proposal} reload={reload} />}
      {problem === "marked" && <Alert tone="error">{t("office/reading/marked")}</Alert>}
      <div class="grid grid-cols-2 gap-2">
        <button type="button" class="btn btn-primary" aria-keyshortcuts="A" disabled={busy} onClick={accept}>
          {t(isSecond ? "office/approvals/accept_second" : "office/accept")}
          <Key name="A" />
        </button>
        <button type="button" class="btn btn-outline" aria-keyshortcuts="R" disabled={busy} onClick={giveBack}>
          {list.length > 0 ? t("office/reading/return_marked", { n: list.length }) : t("office/return")}
          <Key name="R" />
        </button>
      </div>
      {second.error && <Alert tone="error">{second.error}</Alert>}
      <SubmitResult submit={submit} quiet />
    </form>
  );
}

/** The note on one marked field, which gets the focus as the field is marked. */
function MarkNote(props: { path: string; marks: MarkNotes; missing: boolean }): JSX.Element {
  const { path, marks, missing } = props;
  const name = pathName(path);
  const note = marks.notes.get(path) ?? "";
  const empty = missing && note.trim() === "";
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus({ preventScroll: true }), []);
  return (
    <Field label={name} error={empty ? t("office/reading/note_needed") : undefined}>
      {(id, described) => (
        <div class="flex gap-1">
          <input
            ref={input}
            id={id}
            class="input min-w-0 grow"
            aria-describedby={described}
            aria-invalid={empty}
            maxLength={NOTE_LENGTH}
            placeholder={t("office/reading/note_hint")}
            value={note}
            onInput={(event) => marks.write(path, event.currentTarget.value)}
          />
          <button
            type="button"
            class="btn btn-ghost btn-square"
            aria-label={t("office/reading/unmark", { field: name })}
            onClick={() => marks.toggle(path)}
          >
            <X class="size-4" aria-hidden="true" />
          </button>
        </div>
      )}
    </Field>
  );
}

/** How long a return can be undone: then the collector may be working on it. */
const UNDO_RETURN_MS = 2 * 60_000;

/** Reverts the review. */
function UndoReview({ view, apply }: FormProps): JSX.Element | null {
  const submit = useSubmit(apply);
  const undo = (): void =>
    void (submit.busy || submit.send({ do: "review", status: "pending", remark: "", marks: [], at: Date.now() }));
  const fresh = view.review.by === me.value?.user && Date.now() - (view.review.at ?? 0) < UNDO_RETURN_MS;
  const possible = view.stage === "reviewed" || (view.stage === "recorded" && fresh && view.seal?.changed === false);
  useShortcuts(possible ? { u: undo } : {});
  if (!possible) return null;
  return (
    <>
      <button
        type="button"
        class="btn btn-outline self-start"
        aria-keyshortcuts="U"
        disabled={submit.busy}
        onClick={undo}
      >
        {t("office/undo_review")}
        <Key name="U" />
      </button>
      <SubmitResult submit={submit} />
    </>
  );
}

/** The key of a button, for those who see it; `aria-keyshortcuts` says it to others. */
export function Key({ name }: { name: string }): JSX.Element {
  return (
    <kbd
      aria-hidden="true"
      class="ml-1 rounded border border-current/40 px-1.5 font-mono text-xs font-normal max-md:hidden"
    >
      {name}
    </kbd>
  );
}
