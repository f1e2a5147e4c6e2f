/** Records sound in pieces, each on disk while it goes on; what a kill left is offered afterwards. */
import { Mic, Square } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { RecordingRow } from "../core/attachmentStore";
import { t } from "../i18n";
import { formatDateTime } from "../ui/format";
import { Alert, useBusy } from "../ui/parts";
import { attachmentsChanged, client, explain } from "./state";

/** A kill costs no more than this. */
const PIECE_MS = 2_000;
const BITS_PER_SECOND = 32_000;
/** In order of what plays everywhere. */
const TYPES = ["audio/mp4", "audio/webm;codecs=opus", "audio/ogg;codecs=opus"];

interface Running {
  id: string;
  recorder: MediaRecorder;
  /** Pieces are written one after the other. */
  written: Promise<void>;
  lock: WakeLockSentinel | null;
}

/** Recordings of this page that are under way: they are not offered as cut off. */
const underWay = new Set<string>();

export function Recorder({ record }: { record: string }): JSX.Element {
  const [running, setRunning] = useState<Running | null>(null);
  const [length, setLength] = useState(0);
  const [failed, setFailed] = useState<string | null>(null);
  const [cut, setCut] = useState<RecordingRow[]>([]);
  const [busy, run] = useBusy();
  const current = useRef<Running | null>(null);
  const reread = (): void =>
    void client.recordings(record).then(
      (rows) => setCut(rows.filter(({ id }) => !underWay.has(id))),
      () => undefined,
    );
  useEffect(() => attachmentsChanged.subscribe(reread), [record]);
  // Whoever leaves the page ends the recording; what is on disk is offered when they come back.
  useEffect(() => () => stopTracks(current.current), []);

  const start = (): Promise<void> =>
    run(async () => {
      setFailed(null);
      try {
        const next = await begin(record, setLength, (cause) => setFailed(explain(cause)));
        current.current = next;
        setRunning(next);
      } catch (cause) {
        setFailed(cause instanceof DOMException ? t("att/no_microphone") : explain(cause));
      }
    });
  const finish = (): Promise<void> =>
    run(async () => {
      const { current: done } = current;
      if (!done) return;
      try {
        await end(done);
        await client.finishRecording(done.id, "");
      } catch (cause) {
        setFailed(explain(cause));
      }
      underWay.delete(done.id);
      current.current = null;
      setRunning(null);
      setLength(0);
      reread();
    });
  const settle = (work: Promise<void>): Promise<void> =>
    run(async () => {
      await work.catch((cause: unknown) => setFailed(explain(cause)));
      reread();
    });
  return (
    <div class="flex flex-col gap-3">
      {running ? (
        <button type="button" class="btn btn-primary" disabled={busy} onClick={() => void finish()}>
          <Square class="size-5" aria-hidden="true" />
          {t("att/stop", { length: clock(length) })}
        </button>
      ) : (
        <button type="button" class="btn btn-quiet" disabled={busy} onClick={() => void start()}>
          <Mic class="size-5" aria-hidden="true" />
          {t("att/record")}
        </button>
      )}
      {running && <p class="muted text-sm">{t("att/recording")}</p>}
      {failed && <Alert tone="error">{failed}</Alert>}
      {cut.map((row) => (
        <Alert key={row.id} tone="warning">
          <p>{t("att/cut", { at: formatDateTime(row.begun_at), length: clock(row.length) })}</p>
          <div class="mt-2 flex gap-2">
            <button
              type="button"
              class="btn btn-primary grow"
              disabled={busy}
              onClick={() => void settle(client.finishRecording(row.id, t("att/cut_caption")))}
            >
              {t("att/keep")}
            </button>
            <button
              type="button"
              class="btn btn-ghost"
              disabled={busy}
              onClick={() => void settle(client.dropRecording(row.id))}
            >
              {t("att/drop")}
            </button>
          </div>
        </Alert>
      ))}
    </div>
  );
}

async function begin(
  record: string,
  onLength: (ms: number) => void,
  onFailed: (cause: unknown) => void,
): Promise<Running> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const type = TYPES.find((known) => MediaRecorder.isTypeSupported(known)) ?? "";
  const recorder = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: BITS_PER_SECOND });
  const id = await client.newId();
  underWay.add(id);
  const running: Running = { id, recorder, written: Promise.resolve(), lock: await awake() };
  const begun_at = Date.now();
  let pieces = 0;
  recorder.ondataavailable = ({ data }) => {
    if (data.size === 0) return;
    const number = pieces++;
    const length = Date.now() - begun_at;
    running.written = running.written.then(async () => {
      const row = { id, record, media_type: recorder.mimeType || type, begun_at, length, pieces: number };
      await client.addPiece(row, data);
      onLength(length);
    });
    // What is on disk stays; a piece that can't be written ends the recording.
    running.written.catch((cause: unknown) => {
      onFailed(cause);
      if (recorder.state !== "inactive") recorder.stop();
    });
  };
  recorder.start(PIECE_MS);
  return running;
}

/** Stops, and resolves when all of it is on disk or has failed. */
async function end(running: Running): Promise<void> {
  const { recorder } = running;
  if (recorder.state !== "inactive") {
    const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
    recorder.stop();
    await stopped;
  }
  stopTracks(running);
  await running.written.catch(() => undefined);
}

function stopTracks(running: Running | null): void {
  if (!running) return;
  if (running.recorder.state !== "inactive") running.recorder.stop();
  for (const track of running.recorder.stream.getTracks()) track.stop();
  void running.lock?.release().catch(() => undefined);
  underWay.delete(running.id);
}

/** Keeps the screen on: a phone that sleeps ends recordings. */
async function awake(): Promise<WakeLockSentinel | null> {
  try {
    return await navigator.wakeLock.request("screen");
  } catch {
    return null;
  }
}

/** `2:05` */
function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
