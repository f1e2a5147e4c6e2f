/** Attachments of a record, with previews. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { AttachmentView, VisitView } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { formatBytes, formatDateTime } from "../ui/format";
import { AttachmentPreview, DownloadLink } from "../ui/AttachmentPreview";
import { Dialog } from "../ui/components";
import type { AttachmentArrival } from "./api";
import { ByLine } from "./layout";
import { MarkedCard } from "./review/marks";

export function Attachments(props: { view: VisitView; arrivals: AttachmentArrival[] | null }): JSX.Element {
  const { view, arrivals } = props;
  const arrivalOf = (sha256: string): AttachmentArrival | undefined =>
    arrivals?.find((arrival) => arrival.sha256 === sha256);
  return (
    <MarkedCard title={t("office/attachments")} path="attachments">
      {view.attachments.length === 0 && <p class="muted text-sm">{t("office/no_attachments")}</p>}
      <ul class="grid gap-4 text-sm empty:hidden sm:grid-cols-2">
        {view.attachments.map((attachment) => (
          <AttachmentItem
            key={attachment.sha256}
            attachment={attachment}
            arrival={arrivalOf(attachment.sha256)}
            zone={view.case.zone}
          />
        ))}
      </ul>
    </MarkedCard>
  );
}

function AttachmentItem(props: {
  attachment: AttachmentView;
  arrival: AttachmentArrival | undefined;
  zone: string;
}): JSX.Element {
  const { attachment, arrival, zone } = props;
  const [failed, setFailed] = useState(false);
  const [enlarged, setEnlarged] = useState(false);
  const missing = failed || arrival?.received_at === null;
  const { sha256, media_type, kind, caption, size, by, taken_at } = attachment;
  const url = `/api/blobs/${sha256}`;
  // Other types are a download link already.
  const isShown = /^(image|audio)\//.test(media_type);
  const title = [word("attachment", kind), caption].filter(Boolean).join(" · ");
  return (
    <li class="flex min-w-0 flex-col gap-2" data-testid="attachment">
      {missing ? (
        <p role="status" class="rounded-field bg-base-200 flex h-24 items-center justify-center p-3 text-center">
          {t("attachment/not_uploaded")}
        </p>
      ) : (
        <Enlargeable enabled={media_type.startsWith("image/")} title={title} onOpen={() => setEnlarged(true)}>
          <AttachmentPreview
            url={url}
            attachment={attachment}
            title={title}
            class="max-h-72 self-start"
            onError={() => setFailed(true)}
          />
        </Enlargeable>
      )}
      {enlarged && (
        <Dialog title={title} onClose={() => setEnlarged(false)} wide>
          <AttachmentPreview url={url} attachment={attachment} title={title} class="max-h-[75dvh] self-center" />
        </Dialog>
      )}
      <div>
        <p class="font-medium">{title}</p>
        <p class="muted">
          {formatBytes(size)}
          {isShown && !missing && (
            <>
              {" · "}
              <DownloadLink url={url} attachment={attachment} />
            </>
          )}
        </p>
        <ByLine by={by} at={formatDateTime(taken_at, zone)} />
        {typeof arrival?.received_at === "number" && (
          <p class="muted text-xs">
            {t("office/received")}: {formatDateTime(arrival.received_at, zone)}
          </p>
        )}
      </div>
    </li>
  );
}

/** A picture that opens larger. */
function Enlargeable(props: {
  enabled: boolean;
  title: string;
  onOpen: () => void;
  children: JSX.Element;
}): JSX.Element {
  if (!props.enabled) return props.children;
  return (
    <button
      type="button"
      class="cursor-zoom-in self-start"
      aria-haspopup="dialog"
      aria-label={t("office/reading/enlarge", { what: props.title })}
      onClick={props.onOpen}
    >
      {props.children}
    </button>
  );
}
