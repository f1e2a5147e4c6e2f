/** Enters a complaint that came by phone or letter. */
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { t } from "../../i18n";
import { Alert, Dialog, Select, TextField } from "../../ui/components";
import { deviceZone, toLocalInput } from "../../ui/format";
import { api, type ComplaintSource, type ComplaintTopic } from "../api";
import { inputTime, useUnloadWarning } from "../formDraft";
import { useRequest } from "../useRequest";
import { SOURCES, TOPICS } from "./facts";

export function EnterComplaint({ onClose }: { onClose: () => void }): JSX.Element {
  const [, go] = useLocation();
  const [caseNo, setCaseNo] = useState("");
  const [source, setSource] = useState<ComplaintSource | "">("phone");
  const [topic, setTopic] = useState<ComplaintTopic | "">("unknown");
  const [text, setText] = useState("");
  const [received, setReceived] = useState(() => toLocalInput(Date.now(), deviceZone()));
  const [validated, setValidated] = useState(false);
  // After a lost response the request is repeated with the same id, which is stored once.
  const id = useRef(crypto.randomUUID());
  const number = useRef(0);
  const request = useRequest(() => go(`/complaints/${number.current}`));
  useUnloadWarning(text !== "");
  const receivedAt = inputTime(received, deviceZone());
  const required = (missing: boolean): string | undefined =>
    validated && missing ? t("office/complaints/needed") : undefined;
  const send = (): void => {
    setValidated(true);
    if (!caseNo.trim() || !text.trim() || !source || !topic || receivedAt === null) return;
    request.send(async () => {
      const entered = await api.enterComplaint({
        id: id.current,
        case_no: caseNo.trim(),
        source,
        topic,
        text: text.trim(),
        received_at: Math.min(receivedAt, Date.now()),
      });
      number.current = entered.complaint.number;
    });
  };
  return (
    <Dialog
      title={t("office/complaints/enter")}
      onClose={onClose}
      actions={
        <button type="button" class="btn btn-primary" disabled={request.busy} onClick={send}>
          {t("office/complaints/enter_now")}
        </button>
      }
    >
      <p class="muted text-sm">{t("office/complaints/enter_text")}</p>
      <TextField
        label={t("office/path/case_no")}
        value={caseNo}
        plain
        error={required(!caseNo.trim())}
        onInput={setCaseNo}
      />
      <div class="grid gap-3 sm:grid-cols-2">
        <Select
          label={t("office/complaints/source")}
          options={SOURCES}
          value={source}
          word={(one) => t(`office/complaints/sources/${one}`)}
          onChange={setSource}
        />
        <Select
          label={t("office/complaints/topic")}
          options={TOPICS}
          value={topic}
          word={(one) => t(`office/complaints/topics/${one}`)}
          onChange={setTopic}
        />
      </div>
      <TextField
        label={t("office/complaints/received_at")}
        type="datetime-local"
        value={received}
        error={required(receivedAt === null)}
        onInput={setReceived}
      />
      <TextField
        label={t("office/complaints/text")}
        lines={4}
        value={text}
        error={required(!text.trim())}
        onInput={setText}
      />
      {request.error && <Alert tone="error">{request.error}</Alert>}
    </Dialog>
  );
}
