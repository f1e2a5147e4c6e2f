/** Routes of the field app, and the notices at the foot of every page. */
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Route, Switch, useLocation } from "wouter-preact";
import { errorText, t } from "../i18n";
import { Alert } from "../ui/components";
import { RevokedPage } from "./RevokedPage";
import { BorrowerCopyPage } from "./BorrowerCopyPage";
import { DayPlanPage } from "./DayPlanPage";
import { FiguresPage } from "./FiguresPage";
import { FirstSync } from "./FirstSync";
import { firstSyncStep } from "./firstSync";
import { ChoosePin, LockPage } from "./LockPage";
import { PastWorkPage } from "./PastWorkPage";
import { PracticeBanner } from "./PracticeBanner";
import { practising } from "./practiceMode";
import { RecordingBar } from "./Recorder";
import { RecordPage } from "./RecordPage";
import { CheckOutReminder } from "./Safety";
import { SettingsPage } from "./SettingsPage";
import { SignIn } from "./SignIn";
import { expired, locking, notice, online, session, status, toast } from "./state";
import { TodayPage } from "./TodayPage";
import { updateBlocked, updateLater, updateNow, updateOffered } from "./updates";

export function App(): JSX.Element {
  return (
    <>
      {practising && <PracticeBanner />}
      {session.value?.kind === "ready" && <RecordingBar />}
      <Page />
      <CheckOutReminder />
      <Notices />
    </>
  );
}

function Page(): JSX.Element {
  const state = session.value;
  if (locking.value) return <LockPage state={null} />;
  if (state === null) {
    return (
      <CentredPage>
        <h1 class="text-2xl font-bold">{t("app/name")}</h1>
        <p class="muted">{t("app/loading")}</p>
      </CentredPage>
    );
  }
  switch (state.kind) {
    case "signed_out":
      return <SignIn />;
    case "choose_pin":
      return <ChoosePin />;
    case "locked":
      return <LockPage state={state} />;
    case "failed":
      return (
        <CentredPage>
          <h1 class="text-2xl font-bold">{t("app/name")}</h1>
          <div class="text-left">
            <Alert tone="error">{errorText(state.code === "failed" && !online.value ? "offline" : state.code)}</Alert>
          </div>
          <button type="button" class="btn btn-primary" onClick={() => location.reload()}>
            {t("app/retry")}
          </button>
        </CentredPage>
      );
    case "ended":
      return <RevokedPage code={state.code} />;
    case "ready":
      return <Pages />;
  }
}

function Pages(): JSX.Element {
  if (expired.value && status.value?.first_sync) return <SignIn />;
  if (firstSyncStep.value) return <FirstSync />;
  return (
    <Switch>
      <Route path="/">
        <TodayPage />
      </Route>
      <Route path="/settings">
        <SettingsPage />
      </Route>
      <Route path="/plan">
        <DayPlanPage />
      </Route>
      <Route path="/figures">
        <FiguresPage />
      </Route>
      <Route path="/past">
        <PastWorkPage />
      </Route>
      <Route path="/visit/:id/copy/:entry?">
        {({ id, entry }) => <BorrowerCopyPage key={`${id} ${entry}`} id={id} entry={entry} />}
      </Route>
      <Route path="/visit/:id/:step?">{({ id, step }) => <RecordPage key={id} id={id} step={step} />}</Route>
      <Route>
        <CentredPage>
          <h1 class="text-lg font-semibold">{t("app/page_missing")}</h1>
          <a class="btn btn-primary" href="/">
            {t("app/back")}
          </a>
        </CentredPage>
      </Route>
    </Switch>
  );
}

function CentredPage(props: { children: preact.ComponentChildren }): JSX.Element {
  return (
    <main class="mx-auto flex min-h-dvh max-w-md flex-col items-center justify-center gap-4 p-6 text-center">
      <img src="/icons/icon.svg" alt="" width="56" height="56" class="size-14" />
      {props.children}
    </main>
  );
}

/** Messages at the foot of the page, above the step navigation of a record. */
function Notices(): JSX.Element {
  const [path] = useLocation();
  const lift = path.startsWith("/visit/")
    ? "bottom-[calc(4.5rem+var(--leave-bar)+env(safe-area-inset-bottom))]"
    : "bottom-0";
  const { value: message } = toast;
  const box = useRef<HTMLDivElement>(null);
  // The page ends that much lower, so that whatever a notice covers can be scrolled clear of it.
  useLayoutEffect(() => {
    const { current } = box;
    if (!current) return;
    const measure = (): void => {
      const height = current.childElementCount === 0 ? 0 : current.offsetHeight;
      document.documentElement.style.setProperty("--notices", `${height}px`);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  // A toast belongs to one page.
  useEffect(
    () => () => {
      if (toast.value?.page !== location.pathname) toast.value = null;
    },
    [path],
  );
  return (
    <div
      ref={box}
      class={`pointer-events-none fixed inset-x-0 z-30 mx-auto flex max-w-xl flex-col gap-2 p-3 ${lift}`}
      aria-live="polite"
    >
      {notice.value && (
        <Snackbar text={notice.value}>
          <SnackbarButton label={t("app/dismiss")} onClick={() => (notice.value = null)} />
        </Snackbar>
      )}
      {updateOffered.value && (
        <Snackbar text={t(updateBlocked.value ? `app/update_blocked_${updateBlocked.value}` : "app/update")}>
          <SnackbarButton label={t("app/later")} onClick={updateLater} />
          <SnackbarButton strong label={t("app/update_now")} onClick={() => void updateNow()} />
        </Snackbar>
      )}
      {message && (
        <Snackbar text={message.text}>
          {message.undo && (
            <SnackbarButton
              strong
              label={t("app/undo")}
              onClick={() => {
                toast.value = null;
                message.undo?.();
              }}
            />
          )}
        </Snackbar>
      )}
    </div>
  );
}

function Snackbar(props: { text: string; children: preact.ComponentChildren }): JSX.Element {
  return (
    <div class="bg-neutral text-neutral-content rounded-box pointer-events-auto flex min-h-13 items-center justify-between gap-2 py-1 pr-1 pl-4 text-sm shadow-lg">
      <span class="py-2">{props.text}</span>
      <span class="flex shrink-0">{props.children}</span>
    </div>
  );
}

function SnackbarButton(props: { label: string; strong?: boolean; onClick: () => void }): JSX.Element {
  return (
    <button
      type="button"
      class={`rounded-field hover:bg-neutral-content/15 min-h-11 cursor-pointer px-3 ${props.strong ? "font-bold" : "font-medium"}`}
      onClick={props.onClick}
    >
      {props.label}
    </button>
  );
}
