/** A page whose code is loaded when it is opened, so that the list appears first. */
import type { ComponentType, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { Alert } from "../ui/components";

export function Lazy<P extends object>(props: { load: () => Promise<ComponentType<P>>; with?: P }): JSX.Element {
  const { load } = props;
  const [Page, setPage] = useState<ComponentType<P> | null>(null);
  const [failed, setFailed] = useState(false);
  const start = (): void => {
    setFailed(false);
    // A component is a function: without the wrapper it would be called as an updater.
    load().then(
      (page) => setPage(() => page),
      () => setFailed(true),
    );
  };
  useEffect(start, []);
  if (Page) return <Page {...(props.with ?? ({} as P))} />;
  if (!failed) return <p role="status">{t("app/loading")}</p>;
  return (
    <div class="flex flex-col items-start gap-3">
      <Alert tone="error">{t("office/page_failed")}</Alert>
      <button type="button" class="btn btn-outline" onClick={start}>
        {t("office/refresh")}
      </button>
    </div>
  );
}
