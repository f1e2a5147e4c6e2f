/** Attachments of a record, with previews. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { AttachmentView, VisitView } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { formatBytes, formatDateTime } from "../ui/format";
import { AttachmentPreview, DownloadLink } from "../ui/AttachmentPreview";
import { Card, ByLine } from "./layout";

export function Attachments({ view }: { view: VisitView }): JSX.Element {
  return (
    <Card title={t("office/attachments")}>
      {view.attachments.length === 0 && <p class="muted text-sm">{t("office/no_attachments")}</p>}
      <ul class="grid gap-4 text-sm empty:hidden sm:grid-cols-2">
        {view.attachments.map((attachment) => (
          <AttachmentItem key={attachment.sha256} attachment={attachment} zone={view.case.zone} />
        ))}
      </ul>
    </Card>
  );
}

function AttachmentItem({ attachment, zone }: { attachment: AttachmentView; zone: string }): JSX.Element {
  const [missing, setMissing] = useState(false);
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
        <AttachmentPreview
          url={url}
          attachment={attachment}
          title={title}
          class="max-h-72 self-start"
          onError={() => setMissing(true)}
        />
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
      </div>
    </li>
  );
}
