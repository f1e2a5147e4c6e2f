/** Shows an attachment as a picture, a player or a download link. */
import type { JSX } from "preact";
import type { AttachmentView } from "../wasm/doorstep";
import { t } from "../i18n";

export function AttachmentPreview(props: {
  url: string;
  attachment: AttachmentView;
  /** Alternative text. */
  title: string;
  class?: string;
  /** The bytes could not be loaded. */
  onError?: () => void;
}): JSX.Element {
  const { url, title, onError } = props;
  const { media_type } = props.attachment;
  if (media_type.startsWith("image/")) {
    const look = `max-w-full rounded bg-white object-contain ${props.class ?? ""}`;
    return <img src={url} alt={title} loading="lazy" class={look} onError={onError} />;
  }
  if (media_type.startsWith("audio/")) {
    return <audio src={url} controls preload="metadata" class="w-full" aria-label={title} onError={onError} />;
  }
  return <DownloadLink {...props} />;
}

export function DownloadLink({ url, attachment }: { url: string; attachment: AttachmentView }): JSX.Element {
  const { media_type, sha256 } = attachment;
  const ending = media_type === "application/pdf" ? "pdf" : media_type.replace(/^.*\//, "");
  return (
    <a class="link self-start" href={url} download={`${sha256.slice(0, 12)}.${ending}`}>
      {t("attachment/download")}
    </a>
  );
}
