/** Offers to propose the change that the office refused until a second person approves it. */
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { t } from "../../i18n";
import { Alert, Dialog, TextField } from "../../ui/components";
import { api, refusedChange } from "../api";
import { announceChange } from "../list/live";
import { useRequest } from "../useRequest";

export function ProposeDialog(): JSX.Element | null {
  const action = refusedChange.value;
  return action && <Form key={JSON.stringify(action)} action={action} />;
}

function Form({ action }: { action: NonNullable<typeof refusedChange.value> }): JSX.Element {
  const id = useRef(crypto.randomUUID());
  const [reason, setReason] = useState("");
  const [done, setDone] = useState(false);
  const request = useRequest(() => {
    setDone(true);
    announceChange();
  });
  const close = (): void => void (refusedChange.value = null);
  return (
    <Dialog
      title={t("office/approvals/propose_title")}
      onClose={close}
      actions={
        done ? (
          <Link href="/approvals" class="btn btn-primary" onClick={close}>
            {t("office/approvals/to_approvals")}
          </Link>
        ) : (
          <button
            type="button"
            class="btn btn-primary"
            disabled={request.busy || reason.trim() === ""}
            onClick={() => request.send(() => api.propose(id.current, action, reason.trim()))}
          >
            {t("office/approvals/propose")}
          </button>
        )
      }
    >
      {done ? (
        <p role="status">{t("office/approvals/proposed_done")}</p>
      ) : (
        <div class="flex flex-col gap-4">
          <p>{t("office/approvals/propose_text")}</p>
          <TextField label={t("office/approvals/reason")} lines={3} value={reason} onInput={setReason} />
        </div>
      )}
      {request.error && <Alert tone="error">{request.error}</Alert>}
    </Dialog>
  );
}
