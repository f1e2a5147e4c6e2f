/** Which page is shown. */
import type { JSX } from "preact";
import { Route, Switch } from "wouter-preact";
import { sentence, t } from "../i18n";
import { Alert } from "../ui/parts";
import { FirstSync } from "./FirstSync";
import { RecordPage } from "./RecordPage";
import { SignIn } from "./SignIn";
import { client, enter, expired, notice, session, status, toast } from "./state";
import { Today } from "./Today";
import { offlineReady, updateNow, updateReady } from "./updates";

export function App(): JSX.Element {
  return (
    <>
      <Page />
      <Notices />
    </>
  );
}

function Page(): JSX.Element {
  const state = session.value;
  if (state === null) return <Centred>{t("app/loading")}</Centred>;
  switch (state.kind) {
    case "signed_out":
      return <SignIn />;
    case "other_tab":
      return (
        <Centred>
          <h1 class="text-xl font-semibold">{t("tab/title")}</h1>
          <p class="muted">{t("tab/text")}</p>
          <button type="button" class="btn btn-primary" onClick={() => void client.takeOver().then(enter)}>
            {t("tab/use")}
          </button>
        </Centred>
      );
    case "failed":
      return (
        <Centred>
          <Alert tone="error">{sentence("error", state.code)}</Alert>
          <button type="button" class="btn btn-primary" onClick={() => location.reload()}>
            {t("app/retry")}
          </button>
        </Centred>
      );
    case "ready":
      return <Ready />;
  }
}

function Ready(): JSX.Element {
  if (expired.value && status.value?.first_sync) return <SignIn />;
  if (status.value?.first_sync) return <FirstSync />;
  return (
    <Switch>
      <Route path="/">
        <Today />
      </Route>
      <Route path="/visit/:id/:step?">{({ id, step }) => <RecordPage key={id} id={id} step={step} />}</Route>
      <Route>
        <Centred>
          <p>{t("app/page_missing")}</p>
          <a class="btn btn-primary" href="/">
            {t("app/back")}
          </a>
        </Centred>
      </Route>
    </Switch>
  );
}

function Centred(props: { children: preact.ComponentChildren }): JSX.Element {
  return (
    <main class="mx-auto flex min-h-dvh max-w-md flex-col justify-center gap-4 p-6 text-center">{props.children}</main>
  );
}

/** What the app has to say at the foot of any page. */
function Notices(): JSX.Element {
  const bar =
    "bg-neutral text-neutral-content rounded-box pointer-events-auto flex items-center justify-between gap-3 p-2 pl-4 text-sm shadow-lg";
  return (
    <div
      class="pointer-events-none fixed inset-x-0 bottom-0 z-30 mx-auto flex max-w-xl flex-col gap-2 p-3"
      aria-live="polite"
    >
      {notice.value && (
        <div class={bar}>
          <span>{notice.value}</span>
          <button type="button" class="btn btn-ghost" onClick={() => (notice.value = null)}>
            {t("app/dismiss")}
          </button>
        </div>
      )}
      {offlineReady.value && (
        <div class={bar}>
          <span>{t("app/offline_ready")}</span>
          <button type="button" class="btn btn-ghost" onClick={() => (offlineReady.value = false)}>
            {t("app/dismiss")}
          </button>
        </div>
      )}
      {updateReady.value && (
        <div class={bar}>
          <span>{t("app/update")}</span>
          <span class="flex">
            <button type="button" class="btn btn-ghost" onClick={() => (updateReady.value = false)}>
              {t("app/later")}
            </button>
            <button type="button" class="btn btn-ghost" onClick={updateNow}>
              {t("app/update_now")}
            </button>
          </span>
        </div>
      )}
      {toast.value && (
        <div class={bar}>
          <span class="py-2">{toast.value.text}</span>
          {toast.value.undo && (
            <button
              type="button"
              class="btn btn-ghost font-semibold"
              onClick={() => {
                toast.value?.undo?.();
                toast.value = null;
              }}
            >
              {t("app/undo")}
            </button>
          )}
        </div>
      )}
    </div>
  );
}
