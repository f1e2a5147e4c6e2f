/** Routes and the top bar of the console. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link, Route, Router, Switch, useLocation } from "wouter-preact";
import { t, word, type TextKey } from "../i18n";
import { Alert, Dialog, useBusy } from "../ui/components";
import { AppearanceSettings } from "../ui/AppearanceSettings";
import { ComplaintPage } from "./complaints/ComplaintPage";
import { ComplaintsPage } from "./complaints/ComplaintsPage";
import { ConductPage } from "./ConductPage";
import { Empty, isNarrow } from "./layout";
import { Lazy } from "./Lazy";
import { ProposeDialog } from "./approvals/ProposeDialog";
import { BulkStatus } from "./list/BulkStatus";
import { ListPage } from "./list/ListPage";
import { listen } from "./list/live";
import { PeoplePage } from "./PeoplePage";
import { QuarantineItemPage } from "./QuarantineItemPage";
import { QuarantinePage } from "./QuarantinePage";
import { ReceiptPage } from "./ReceiptPage";
import { SafetyAlerts } from "./SafetyAlerts";
import { SignIn } from "./SignIn";
import { expired, explain, mayAudit, mayWrite, me, signOut } from "./state";
import { VisitPage } from "./VisitPage";

export function App(): JSX.Element {
  if (me.value === undefined) {
    return (
      <p role="status" class="p-8">
        {t("app/loading")}
      </p>
    );
  }
  if (me.value === null) return <SignIn />;
  // The page stays mounted behind the sign-in, so that the same user keeps typed text.
  return (
    <>
      {expired.value && <SignIn />}
      <div key={me.value.user} hidden={expired.value}>
        {me.value.role === "collector" ? <CollectorNotice /> : <Console />}
      </div>
    </>
  );
}

function CollectorNotice(): JSX.Element {
  return (
    <main class="mx-auto flex max-w-md flex-col gap-4 p-8">
      <h1 class="text-2xl font-bold">{t("office/title")}</h1>
      <Alert tone="warning">{t("office/only_office")}</Alert>
      <SignOut />
    </main>
  );
}

function Console(): JSX.Element {
  useEffect(listen, []);
  return (
    <Router base="/office">
      <Pages />
    </Router>
  );
}

function Pages(): JSX.Element {
  const [place] = useLocation();
  // The list scrolls inside the window; other pages scroll with it.
  const filled = place === "/" && !isNarrow.value;
  return (
    <div class={filled ? "flex h-dvh flex-col" : ""}>
      <a href="#content" class="btn btn-primary sr-only focus:not-sr-only focus:absolute focus:z-10">
        {t("office/skip")}
      </a>
      <TopBar />
      <SafetyAlerts />
      <main
        id="content"
        tabIndex={-1}
        class={`px-4 outline-none ${filled ? "min-h-0 grow pb-3" : "mx-auto max-w-7xl pb-16"}`}
      >
        <Switch>
          <Route path="/">
            <ListPage />
          </Route>
          <Route path="/visits/:id">{({ id }) => <VisitPage key={id} id={id} />}</Route>
          <Route path="/import/:id?">
            {({ id = "" }) => (
              <Lazy load={() => import("./import/ImportPage").then((page) => page.ImportPage)} with={{ id }} />
            )}
          </Route>
          <Route path="/dashboard">
            <Lazy load={() => import("./DashboardPage").then((page) => page.DashboardPage)} />
          </Route>
          <Route path="/reports">
            <Lazy load={() => import("./reports/ReportTokensPage").then((page) => page.ReportTokensPage)} />
          </Route>
          <Route path="/conduct">
            <ConductPage />
          </Route>
          <Route path="/complaints">
            <ComplaintsPage />
          </Route>
          <Route path="/complaints/:number">{({ number }) => <ComplaintPage key={number} number={number} />}</Route>
          <Route path="/quarantine">
            <QuarantinePage />
          </Route>
          <Route path="/quarantine/:id">{({ id }) => <QuarantineItemPage key={id} id={id} />}</Route>
          <Route path="/receipts">
            <ReceiptPage />
          </Route>
          <Route path="/approvals">
            <Lazy load={() => import("./approvals/ApprovalsPage").then((page) => page.ApprovalsPage)} />
          </Route>
          <Route path="/audit">
            <Lazy load={() => import("./AuditPage").then((page) => page.AuditPage)} />
          </Route>
          <Route path="/people">
            <PeoplePage />
          </Route>
          <Route>
            <Empty title={t("app/page_missing")}>
              <Link href="/" class="link">
                {t("office/to_list")}
              </Link>
            </Empty>
          </Route>
        </Switch>
      </main>
      <BulkStatus />
      <ProposeDialog />
    </div>
  );
}

function TopBar(): JSX.Element {
  const [settings, setSettings] = useState(false);
  const [place] = useLocation();
  const links: [string, TextKey][] = [["/", "office/visits"]];
  links.push(["/dashboard", "office/dashboard/title"]);
  if (mayWrite()) links.push(["/import", "office/import"]);
  links.push(["/conduct", "conduct/desk/title"]);
  if (mayWrite()) links.push(["/complaints", "office/complaints/title"]);
  links.push(["/approvals", "office/approvals/title"]);
  links.push(["/quarantine", "office/quarantine"]);
  links.push(["/receipts", "office/receipt/nav"]);
  links.push(["/people", "office/people/title"]);
  if (mayAudit()) links.push(["/audit", "office/audit/title"]);
  return (
    <header class="bg-base-100 border-base-300 mb-3 border-b print:hidden">
      <div class={`mx-auto flex flex-wrap items-center gap-2 px-4 py-1 ${place === "/" ? "" : "max-w-7xl"}`}>
        <img src="/icons/icon.svg" alt="" class="size-8" />
        <span class="mr-4 font-bold">{t("office/title")}</span>
        <nav
          class="order-last flex min-w-0 grow basis-full gap-1 overflow-x-auto xl:order-none xl:basis-0"
          aria-label={t("office/pages")}
        >
          {links.map(([href, key]) => (
            <Link
              key={href}
              href={href}
              class={`btn btn-ghost px-2 ${place === href ? "bg-base-200" : ""}`}
              aria-current={place === href ? "page" : undefined}
            >
              {t(key)}
            </Link>
          ))}
        </nav>
        <span class="grow xl:hidden" />
        <button type="button" class="btn btn-ghost" aria-haspopup="dialog" onClick={() => setSettings(true)}>
          {me.value?.user}
        </button>
      </div>
      {settings && (
        <Dialog title={me.value?.user ?? ""} onClose={() => setSettings(false)} actions={<SignOut />}>
          <p class="muted text-sm">{word("role", me.value?.role ?? "")}</p>
          <AppearanceSettings />
        </Dialog>
      )}
    </header>
  );
}

function SignOut(): JSX.Element {
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  const leave = (): Promise<void> =>
    run(async () => {
      try {
        await signOut();
      } catch (cause) {
        setError(explain(cause));
      }
    });
  return (
    <>
      {error && <Alert tone="error">{error}</Alert>}
      <button type="button" class="btn btn-outline" disabled={busy} onClick={() => void leave()}>
        {t("sign_in/out")}
      </button>
    </>
  );
}
