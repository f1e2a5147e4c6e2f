/** Ways to give a copy to the borrower: share it, print it, download it. */
import { Download, Printer, Share2 } from "lucide-preact";
import type { JSX, RefObject } from "preact";
import { inLanguage, t, type Lang } from "../i18n";
import { copyText, type Copy } from "./borrowerCopy";
import { showToast } from "./state";

/** Firefox on computers has no Web Share. */
const CAN_SHARE = typeof navigator.share === "function";

interface Props {
  copy: Copy;
  language: Lang;
  article: RefObject<HTMLElement>;
}

export function CopyActions({ copy, language, article }: Props): JSX.Element {
  const share = async (): Promise<void> => {
    const text = inLanguage(language, () => copyText(copy));
    try {
      if (CAN_SHARE) await navigator.share({ title: copy.title, text });
      else {
        await navigator.clipboard.writeText(text);
        showToast({ text: t("copy/copied") });
      }
    } catch (cause) {
      // The user closed the system's dialog.
      if (!(cause instanceof DOMException && cause.name === "AbortError")) showToast({ text: t("copy/not_shared") });
    }
  };
  return (
    <div class="flex flex-wrap gap-2 print:hidden">
      <button type="button" class="btn btn-primary grow" onClick={() => void share()}>
        <Share2 class="size-5" aria-hidden="true" />
        {t(CAN_SHARE ? "copy/share" : "copy/copy")}
      </button>
      <button type="button" class="btn btn-quiet grow" onClick={() => print()}>
        <Printer class="size-5" aria-hidden="true" />
        {t("copy/print")}
      </button>
      <button type="button" class="btn btn-quiet grow" onClick={() => save(copy, language, article.current)}>
        <Download class="size-5" aria-hidden="true" />
        {t("copy/download")}
      </button>
    </div>
  );
}

/** Enough to read and print the page without the app. */
const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:1rem auto;padding:0 1rem;color:#14211d;background:#fff}" +
  "h1{font-size:1.4rem}h2{font-size:1.1rem}dl>div{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem}" +
  "dd{margin:0;font-weight:600;white-space:pre-line}strong{display:block;font:700 1.3rem monospace}" +
  "table{width:100%;border-collapse:collapse}th,td{text-align:left;padding:.2rem;border-top:1px solid #ccc}" +
  "footer{border-top:1px solid #ccc}@page{margin:18mm}";

/** Downloads the copy as one HTML file. Its name says nothing about a person. */
function save(copy: Copy, language: Lang, article: HTMLElement | null): void {
  if (!article) return;
  const page = document.implementation.createHTMLDocument(copy.title);
  page.documentElement.lang = language;
  page.head.insertAdjacentHTML(
    "beforeend",
    `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><style>${STYLE}</style>`,
  );
  page.body.append(page.importNode(article, true));
  const html = `<!doctype html>${page.documentElement.outerHTML}`;
  const url = URL.createObjectURL(new Blob([html], { type: "text/html" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = copy.code ? `receipt-${copy.code}.html` : "visit-copy.html";
  link.click();
  URL.revokeObjectURL(url);
}
