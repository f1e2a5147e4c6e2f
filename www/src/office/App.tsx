/** Frame and routes of the console. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Link, Route, Router, Switch, useLocation } from "wouter-preact";
import { t } from "../i18n";
import { Alert, Dialog, Field, useBusy } from "../ui/parts";
import { Settings } from "../ui/settings";
import { api } from "./api";
import { ImportPage } from "./ImportPage";
import { ListPage } from "./ListPage";
import { QuarantinePage } from "./QuarantinePage";
import { explain, mayWrite, me } from "./state";
import { VisitPage } from "./VisitPage";

export function App(): JSX.Element {
  if (me.value === undefined) return <p class="p-8">{t("app/loading")}</p>;
  if (me.value === null) return <SignIn />;
  if (me.value.role === "collector") {
    return (
      <main class="mx-auto flex max-w-md flex-col gap-4 p-8">
        <Alert tone="warning">{t("office/only_office")}</Alert>
        <SignOut />
      </main>
    );
  }
  return (
    <Router base="/office">
      <Top />
      <main class="mx-auto max-w-7xl px-4 pb-16">
        <Switch>
          <Route path="/visits/:id">{({ id }) => <VisitPage key={id} id={id} />}</Route>
          <Route path="/import">
            <ImportPage />
          </Route>
          <Route path="/quarantine">
            <QuarantinePage />
          </Route>
          <Route>
            <ListPage />
          </Route>
        </Switch>
      </main>
    </Router>
  );
}

function Top(): JSX.Element {
  const [settings, setSettings] = useState(false);
  const [place] = useLocation();
  const links: [string, string][] = [["/", "office/visits"]];
  if (mayWrite()) links.push(["/import", "office/import"]);
  links.push(["/quarantine", "office/quarantine"]);
  return (
    <header class="bg-base-100 border-base-300 mb-4 border-b">
      <div class="mx-auto flex max-w-7xl flex-wrap items-center gap-2 px-4 py-2">
        <img src="/icons/icon.svg" alt="" class="size-8" />
        <span class="mr-4 font-bold">{t("office/title")}</span>
        <nav class="flex flex-wrap gap-1">
          {links.map(([href, key]) => (
            <Link
              key={href}
              href={href}
              class={`btn btn-ghost ${place === href ? "bg-base-200" : ""}`}
              aria-current={place === href ? "page" : undefined}
            >
              {t(key)}
            </Link>
          ))}
        </nav>
        <span class="grow" />
        <button type="button" class="btn btn-ghost" onClick={() => setSettings(true)}>
          {me.value?.user}
        </button>
      </div>
      {settings && (
        <Dialog title={me.value?.user ?? ""} onClose={() => setSettings(false)} actions={<SignOut />}>
          <Settings />
        </Dialog>
      )}
    </header>
  );
}

function SignOut(): JSX.Element {
  return (
    <button
      type="button"
      class="btn btn-outline"
      onClick={() =>
        void api
          .signOut()
          .catch(() => undefined)
          .then(() => (me.value = null))
      }
    >
      {t("sign/out")}
    </button>
  );
}

function SignIn(): JSX.Element {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, run] = useBusy();
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setError(null);
    void run(async () => {
      try {
        me.value = await api.signIn(name.trim(), password);
      } catch (cause) {
        setError(explain(cause));
      }
    });
  };
  return (
    <main class="mx-auto flex min-h-dvh max-w-md flex-col justify-center gap-6 p-6">
      <h1 class="flex items-center justify-center gap-3 text-2xl font-bold">
        <img src="/icons/icon.svg" alt="" class="size-12" />
        {t("office/title")}
      </h1>
      <form class="card-plain flex flex-col gap-4" onSubmit={submit}>
        <Field label={t("sign/name")}>
          {(id) => (
            <input
              id={id}
              class="input w-full"
              autocomplete="username"
              autocapitalize="none"
              required
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label={t("sign/password")}>
          {(id) => (
            <input
              id={id}
              class="input w-full"
              type="password"
              autocomplete="current-password"
              required
              value={password}
              onInput={(event) => setPassword(event.currentTarget.value)}
            />
          )}
        </Field>
        {error && <Alert tone="error">{error}</Alert>}
        <button type="submit" class="btn btn-primary" disabled={busy}>
          {busy ? t("sign/working") : t("sign/submit")}
        </button>
      </form>
      <details class="card-plain">
        <summary class="min-h-6 cursor-pointer text-sm font-medium">
          {t("app/language")} · {t("app/theme")}
        </summary>
        <div class="pt-4">
          <Settings />
        </div>
      </details>
    </main>
  );
}
