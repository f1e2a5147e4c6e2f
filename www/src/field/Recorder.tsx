/** Controls of the audio recording: on its record, and a bar on every page while it runs. */
import { Mic, Square, TriangleAlert } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import type { RecordingRow } from "../core/attachments/attachmentStore";
import { t } from "../i18n";
import { formatDateTime } from "../ui/format";
import { Alert, Choices, useBusy } from "../ui/components";
import {
  AUDIO_TYPE,
  finishRecording,
  gapsText,
  interruptedRecordings,
  RECORDED,
  recordedLength,
  recording,
  recordingError,
  startRecording,
  type Recorded,
} from "./recording";
import { attachmentsChanged, client, explain } from "./state";

export function Recorder({ record }: { record: string }): JSX.Element {
  const running = recording.value;
  const [failed, setFailed] = useState<string | null>(null);
  const [phase, setPhase] = useState<Recorded>("talk");
  const [interrupted, setInterrupted] = useState<RecordingRow[]>([]);
  const [busy, run] = useBusy();
  const reread = (): void => void interruptedRecordings(record).then(setInterrupted, () => undefined);
  useEffect(() => attachmentsChanged.subscribe(reread), [record]);
  useEffect(reread, [running?.id]);
  const resolve = (work: Promise<void>): Promise<void> =>
    run(async () => {
      await work.catch((cause: unknown) => setFailed(explain(cause)));
      reread();
    });
  const error = failed ?? recordingError.value;
  return (
    <div class="flex flex-col gap-3">
      {!AUDIO_TYPE && <p class="muted text-sm">{t("attachment/no_recorder")}</p>}
      {AUDIO_TYPE && running === null && (
        <>
          <Choices<Recorded>
            look="segments"
            label={t("recording/what")}
            control="recording-phase"
            options={RECORDED}
            value={phase}
            word={(option) => t(`recording/${option}`)}
            onChange={setPhase}
          />
          <button
            type="button"
            class="btn btn-quiet"
            disabled={busy}
            onClick={() => void run(() => startRecording(record, phase))}
          >
            <Mic class="size-5" aria-hidden="true" />
            {t("attachment/record")}
          </button>
          <p class="muted text-sm">{t("recording/only")}</p>
        </>
      )}
      {error && <Alert tone="error">{error}</Alert>}
      {interrupted.map((row) => (
        <Alert key={row.id} tone="warning">
          <p>{t("attachment/interrupted", { at: formatDateTime(row.begun_at), length: recordedLength(row.length) })}</p>
          <div class="mt-2 flex gap-2">
            <button
              type="button"
              class="btn btn-primary grow"
              disabled={busy}
              onClick={() => void resolve(client.finishRecording(row.id, keptCaption(row)))}
            >
              {t("attachment/keep")}
            </button>
            <button
              type="button"
              class="btn btn-ghost"
              disabled={busy}
              onClick={() => void resolve(client.dropRecording(row.id))}
            >
              {t("attachment/drop")}
            </button>
          </div>
        </Alert>
      ))}
    </div>
  );
}

/** What was recorded, and that it has no proper end. */
const keptCaption = ({ caption }: RecordingRow): string =>
  [caption, t("attachment/interrupted_caption")].filter(Boolean).join(" · ");

/** On every page, so that a running recording is always visible and one tap stops it. */
export function RecordingBar(): JSX.Element | null {
  const running = recording.value;
  const [busy, run] = useBusy();
  const bar = useRef<HTMLElement>(null);
  const shown = running !== null;
  // Sticky headers are placed below it.
  useLayoutEffect(() => {
    const { current } = bar;
    if (!current) return;
    const { style } = document.documentElement;
    const observer = new ResizeObserver(() => style.setProperty("--recording", `${current.offsetHeight}px`));
    observer.observe(current);
    return () => {
      observer.disconnect();
      style.setProperty("--recording", "0px");
    };
  }, [shown]);
  if (!running) return null;
  const { gaps, awake, length, record } = running;
  const isMuted = gaps.at(-1)?.to === null;
  return (
    <section
      ref={bar}
      aria-label={t("recording/title")}
      data-testid="recording"
      data-awake={awake}
      data-gaps={gaps.length}
      class="bg-error text-error-content sticky top-(--practice) z-20 flex flex-col gap-1 px-4 pt-[max(0.375rem,env(safe-area-inset-top))] pb-1.5"
    >
      <div class="flex items-center justify-between gap-3">
        <Link href={`/visit/${record}/record`} class="flex min-h-11 items-center gap-2 font-semibold">
          <Mic class="size-5" aria-hidden="true" />
          {t(isMuted ? "recording/muted" : "recording/running")}
        </Link>
        <button
          type="button"
          class="btn border-error-content text-error-content min-h-11 border bg-transparent"
          disabled={busy}
          onClick={() => void run(finishRecording)}
        >
          <Square class="size-5" aria-hidden="true" />
          {t("attachment/stop", { length: recordedLength(length) })}
        </button>
      </div>
      {!awake && <p class="text-sm">{t("recording/not_awake")}</p>}
      {gaps.length > 0 && (
        <p class="flex gap-1.5 text-sm font-medium">
          <TriangleAlert class="mt-0.5 size-4 shrink-0" aria-hidden="true" />
          {gapsText(gaps)}
        </p>
      )}
    </section>
  );
}
