/** Attachments of a record, each with its upload state. */
import { Camera, FileUp, Image, LoaderCircle, Mic, Paperclip, PenLine } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ClientError } from "../../core/api";
import type { LocalAttachment } from "../../core/attachments/attachments";
import type { AttachmentKind, AttachmentView } from "../../wasm/doorstep";
import { errorText, t, word } from "../../i18n";
import { formatBytes, formatDateTime } from "../../ui/format";
import { Alert, Dialog, useBusy } from "../../ui/components";
import { AttachmentPreview } from "../../ui/AttachmentPreview";
import { useDirtyForm } from "../../ui/dirtyForms";
import { practising } from "../practiceMode";
import { Recorder } from "../Recorder";
import { SIGNATURE, SignaturePad } from "../SignaturePad";
import { attachmentsChanged, client, explain } from "../state";
import type { OpenRecord } from "../useRecord";

export function Attachments({ record }: { record: OpenRecord }): JSX.Element {
  const { view, drafts } = record;
  const local = useLocalAttachments(view.id);
  const [failed, setFailed] = useState<Failure | null>(null);
  const [signing, setSigning] = useState(false);
  const [busy, run] = useBusy();
  useDirtyForm(busy || (failed?.retry ?? null) !== null);
  const tryTo = (work: () => Promise<unknown>): Promise<void> =>
    run(async () => {
      setFailed(null);
      // The file stays in memory until it is stored: a photo at a door can't always be taken again.
      await work().catch((cause: unknown) =>
        setFailed({ text: explain(cause), retry: isPermanent(cause) ? null : () => void tryTo(work) }),
      );
    });
  const add = (kind: AttachmentKind, file: File): void =>
    void tryTo(() => client.attach(view.id, file, { kind, caption: "", taken_at: Date.now() }));
  return (
    <section class="card-plain flex flex-col gap-4" aria-label={t("attachment/title")}>
      <h3 class="section-title">{t("attachment/title")}</h3>
      {view.attachments.length === 0 && <p class="muted">{t("attachment/none")}</p>}
      {view.attachments.length > 0 && (
        <ul class="flex flex-col gap-3">
          {view.attachments.map((attachment) => (
            <AttachmentItem
              key={attachment.sha256}
              attachment={attachment}
              local={local.find(({ sha256 }) => sha256 === attachment.sha256)}
            />
          ))}
        </ul>
      )}
      {busy && (
        <p role="status" class="muted flex items-center gap-2 text-sm">
          <LoaderCircle class="size-4 animate-spin" aria-hidden="true" />
          {t("attachment/saving")}
        </p>
      )}
      {failed && (
        <Alert tone="error">
          <p>{failed.text}</p>
          {failed.retry && (
            <button type="button" class="btn btn-quiet mt-2" disabled={busy} onClick={failed.retry}>
              {t("attachment/again")}
            </button>
          )}
        </Alert>
      )}
      <div class="grid grid-cols-2 gap-2">
        <FileButton
          label={t("attachment/camera")}
          Icon={Camera}
          accept="image/*"
          camera
          disabled={busy}
          onPick={(file) => add("photo", file)}
        />
        <FileButton
          label={t("attachment/file")}
          Icon={FileUp}
          accept="image/*,application/pdf"
          disabled={busy}
          onPick={(file) => add("document", file)}
        />
        <button type="button" class="btn btn-quiet col-span-2" onClick={() => setSigning(true)}>
          <PenLine class="size-5" aria-hidden="true" />
          {t("attachment/sign")}
        </button>
      </div>
      {drafts.byForm.has(SIGNATURE) && !signing && <p class="muted -mt-2 text-sm">{t("attachment/signature_draft")}</p>}
      <Recorder record={view.id} />
      {signing && (
        <SignaturePad
          record={record}
          onClose={() => setSigning(false)}
          onDone={(picture, caption) => {
            setSigning(false);
            void tryTo(async () => {
              await client.attachSignature(view.id, picture, caption);
              drafts.save(SIGNATURE, null);
            });
          }}
        />
      )}
    </section>
  );
}

interface Failure {
  text: string;
  /** Null if a retry would fail in the same way. */
  retry: (() => void) | null;
}

const isPermanent = (cause: unknown): boolean =>
  cause instanceof ClientError && ["bad_picture", "media_type", "too_large"].includes(cause.code);

/** A button that picks a file or opens the camera. */
function FileButton(props: {
  label: string;
  Icon: typeof Camera;
  accept: string;
  camera?: boolean;
  disabled: boolean;
  onPick: (file: File) => void;
}): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        class="sr-only"
        tabIndex={-1}
        aria-label={props.label}
        accept={props.accept}
        capture={props.camera ? "environment" : undefined}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file) props.onPick(file);
          // Allows picking the same file again.
          event.currentTarget.value = "";
        }}
      />
      <button
        type="button"
        class="btn btn-tonal h-auto py-2.5"
        disabled={props.disabled}
        onClick={() => {
          // Saves typed text before the camera opens: the system may end the page behind it.
          if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
          input.current?.click();
        }}
      >
        <props.Icon class="size-5 shrink-0" aria-hidden="true" />
        {props.label}
      </button>
    </>
  );
}

function AttachmentItem({
  attachment,
  local,
}: {
  attachment: AttachmentView;
  local: LocalAttachment | undefined;
}): JSX.Element {
  const [open, setOpen] = useState(false);
  const { sha256, kind, size, taken_at, by, caption } = attachment;
  return (
    <li class="flex gap-3" data-testid="attachment" data-state={uploadState(local)}>
      <button
        type="button"
        class="shrink-0 cursor-pointer"
        aria-label={t("attachment/open", { what: word("attachment", kind) })}
        onClick={() => setOpen(true)}
      >
        <Thumbnail sha256={sha256} kind={kind} />
      </button>
      <div class="min-w-0">
        <p class="font-medium">{[word("attachment", kind), caption].filter(Boolean).join(" · ")}</p>
        <p class="muted text-sm">{[formatDateTime(taken_at), formatBytes(size), by].join(" · ")}</p>
        <p class={`text-sm ${local?.refused ? "text-error font-semibold" : ""}`} role="status">
          {uploadText(local)}
        </p>
      </div>
      {open && <AttachmentDialog attachment={attachment} onClose={() => setOpen(false)} />}
    </li>
  );
}

/** An attachment that is not on this phone was added on another one. */
function uploadState(local: LocalAttachment | undefined): string {
  if (!local) return "elsewhere";
  if (local.refused) return "refused";
  return local.at_office === null ? "waiting" : "at-office";
}

function uploadText(local: LocalAttachment | undefined): string {
  if (!local) return t("attachment/elsewhere");
  if (practising) return t("attachment/practice");
  if (local.refused) return errorText(local.refused);
  if (local.at_office !== null) return t(local.onPhone ? "attachment/at_office" : "attachment/at_office_only");
  if (local.sent > 0) return t("attachment/sending", { done: formatBytes(local.sent), all: formatBytes(local.size) });
  return t("attachment/waiting");
}

const ICONS: Record<AttachmentKind, typeof Camera> = {
  photo: Image,
  audio: Mic,
  signature: PenLine,
  receipt: Paperclip,
  document: Paperclip,
};

function Thumbnail({ sha256, kind }: { sha256: string; kind: AttachmentKind }): JSX.Element {
  const url = useObjectUrl(() => client.attachmentThumb(sha256), "image/jpeg", sha256);
  const Icon = ICONS[kind];
  return url.url ? (
    <img src={url.url} alt="" class="rounded-field size-14 bg-white object-cover" />
  ) : (
    <span class="rounded-field bg-base-200 flex size-14 items-center justify-center">
      <Icon class="muted size-6" aria-hidden="true" />
    </span>
  );
}

/** An attachment at full size, downloaded if this phone no longer has it. */
function AttachmentDialog({ attachment, onClose }: { attachment: AttachmentView; onClose: () => void }): JSX.Element {
  const { sha256, media_type, kind, caption } = attachment;
  const { url, error } = useObjectUrl(() => client.attachmentBytes(sha256), media_type, sha256);
  const title = [word("attachment", kind), caption].filter(Boolean).join(" · ");
  return (
    <Dialog title={title} onClose={onClose}>
      {error && <Alert tone="error">{error}</Alert>}
      {!url && !error && <p class="muted">{t("app/loading")}</p>}
      {url && <AttachmentPreview url={url} attachment={attachment} title={title} class="min-h-0" />}
    </Dialog>
  );
}

/** An object URL for bytes, valid while the component is mounted. */
function useObjectUrl(
  read: () => Promise<Uint8Array | null>,
  type: string,
  key: string,
): { url: string | null; error: string | null } {
  const [shown, setShown] = useState<{ url: string | null; error: string | null }>({ url: null, error: null });
  useEffect(() => {
    let live = true;
    let url: string | null = null;
    read().then(
      (bytes) => {
        if (!live || !bytes) return;
        url = URL.createObjectURL(new Blob([bytes as BlobPart], { type }));
        setShown({ url, error: null });
      },
      (cause: unknown) => live && setShown({ url: null, error: explain(cause) }),
    );
    return () => {
      live = false;
      if (url) URL.revokeObjectURL(url);
    };
  }, [key, type]);
  return shown;
}

/** The current upload states of attachments that were added on this phone. */
function useLocalAttachments(id: string): LocalAttachment[] {
  const [local, setLocal] = useState<LocalAttachment[]>([]);
  useEffect(() => {
    let live = true;
    const read = (): void =>
      void client.attachments(id).then(
        (next) => live && setLocal(next),
        () => undefined,
      );
    const stop = attachmentsChanged.subscribe((event) => {
      if (event === null || event.id === id) read();
    });
    return () => {
      live = false;
      stop();
    };
  }, [id]);
  return local;
}
