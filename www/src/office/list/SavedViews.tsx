/** Saved views of the list: own ones and those that colleagues share. */
import { signal } from "@preact/signals";
import { Bookmark, BookmarkPlus, X } from "lucide-preact";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { t } from "../../i18n";
import { Alert, Dialog, TextField } from "../../ui/components";
import { api, type ViewLine } from "../api";
import { explain, me } from "../state";
import { useRequest } from "../useRequest";
import { Popover } from "./Popover";
import { isNarrowed } from "./query";

const views = signal<ViewLine[]>([]);

async function loadViews(): Promise<void> {
  views.value = await api.views();
}

export function SavedViews({ search, empty }: { search: string; empty?: string }): JSX.Element {
  const [saving, setSaving] = useState(false);
  const [error, setError] = useState<string | null>(null);
  useEffect(() => void loadViews().catch((cause: unknown) => setError(explain(cause))), []);
  const current = views.value.some((view) => view.search === search);
  const canSave = !current && (isNarrowed(new URLSearchParams(search)) || search !== "");
  const remove = async (view: ViewLine): Promise<void> => {
    try {
      await api.deleteView(view.id);
      await loadViews();
      setError(null);
    } catch (cause) {
      setError(explain(cause));
    }
  };
  if (views.value.length === 0 && !canSave && !error) return <>{empty && <p class="muted text-sm">{empty}</p>}</>;
  return (
    <section class="border-base-300 flex flex-col border-t pt-2" aria-label={t("office/views/title")}>
      <ul class="flex flex-col">
        {views.value.map((view) => (
          <li key={view.id} class="group flex items-center" data-testid="saved-view">
            <Link
              href={`/?${view.search}`}
              class={`rounded-field min-h-8 min-w-0 grow truncate px-2 py-1 text-sm ${
                view.search === search ? "bg-base-300 font-semibold" : "hover:bg-base-300/60"
              }`}
              aria-current={view.search === search ? "page" : undefined}
              title={view.shared ? t("office/views/shared_by", { owner: view.owner }) : undefined}
            >
              {view.name}
            </Link>
            {view.owner === me.value?.user && (
              <button
                type="button"
                class="btn btn-ghost btn-sm btn-square bar-control lg:opacity-0 lg:group-hover:opacity-100 lg:focus-visible:opacity-100"
                aria-label={t("office/views/delete", { name: view.name })}
                onClick={() => void remove(view)}
              >
                <X class="size-3.5" aria-hidden="true" />
              </button>
            )}
          </li>
        ))}
      </ul>
      {canSave && (
        <button
          type="button"
          class="btn btn-ghost btn-sm bar-control justify-start gap-2 px-2 font-normal"
          aria-haspopup="dialog"
          onClick={() => setSaving(true)}
        >
          <BookmarkPlus class="size-4" aria-hidden="true" />
          {t("office/views/save")}
        </button>
      )}
      {error && <Alert tone="error">{error}</Alert>}
      {saving && <SaveView search={search} onClose={() => setSaving(false)} />}
    </section>
  );
}

/** The same as a menu, where there is no room for the sidebar. */
export function SavedViewsMenu({ search }: { search: string }): JSX.Element {
  const title = t("office/views/title");
  // An icon alone: the filters fit one line then.
  const label = (
    <span title={title}>
      <Bookmark class="size-4" aria-hidden="true" />
      <span class="sr-only">{title}</span>
    </span>
  );
  return (
    <div class="lg:hidden">
      <Popover label={label} title={title} align="left">
        {() => <SavedViews search={search} empty={t("office/views/none")} />}
      </Popover>
    </div>
  );
}

function SaveView({ search, onClose }: { search: string; onClose: () => void }): JSX.Element {
  const id = useRef(crypto.randomUUID());
  const [name, setName] = useState("");
  const [shared, setShared] = useState(false);
  const { busy, error, send } = useRequest(onClose);
  return (
    <Dialog
      title={t("office/views/save")}
      onClose={onClose}
      actions={
        <button
          type="button"
          class="btn btn-primary"
          disabled={busy || !name.trim()}
          onClick={() =>
            send(async () => {
              await api.saveView(id.current, { name, search, shared });
              await loadViews();
            })
          }
        >
          {t("office/views/save_button")}
        </button>
      }
    >
      <TextField label={t("office/views/name")} value={name} onInput={setName} />
      <label class="flex min-h-9 items-center gap-2">
        <input
          type="checkbox"
          class="checkbox"
          checked={shared}
          onChange={(event) => setShared(event.currentTarget.checked)}
        />
        {t("office/views/shared")}
      </label>
      {error && <Alert tone="error">{error}</Alert>}
    </Dialog>
  );
}
