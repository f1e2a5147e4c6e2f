/** Users and devices. Administrators edit them; others only see them. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Role } from "../wasm/doorstep";
import { t, word } from "../i18n";
import { Alert, Dialog, Field, Select, TextField } from "../ui/components";
import { api, type Device, type User, type UserChange } from "./api";
import { Devices } from "./Devices";
import { PageTitle } from "./layout";
import { explain, me } from "./state";
import { useRequest } from "./useRequest";

const ROLES: readonly Role[] = ["collector", "supervisor", "auditor", "admin"];

export function PeoplePage(): JSX.Element {
  const canEdit = me.value?.role === "admin";
  const [users, setUsers] = useState<User[] | null>(null);
  const [devices, setDevices] = useState<Device[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const load = (): void =>
    void Promise.all([api.users(), api.devices()]).then(
      ([userList, deviceList]) => {
        setUsers(userList);
        setDevices(deviceList);
        setError(null);
      },
      (cause: unknown) => setError(explain(cause)),
    );
  useEffect(() => {
    load();
    addEventListener("focus", load);
    return () => removeEventListener("focus", load);
  }, []);
  return (
    <div class="flex flex-col gap-6">
      <PageTitle>{t("office/people/title")}</PageTitle>
      {error && <Alert tone="error">{error}</Alert>}
      {!users && !error && <p role="status">{t("app/loading")}</p>}
      {users && (
        <section class="flex flex-col gap-3" aria-label={t("office/people/users")}>
          <div class="flex flex-wrap items-center justify-between gap-2">
            <h2 class="section-title">{t("office/people/users")}</h2>
            {canEdit && <AddUser onDone={load} />}
          </div>
          <ul class="flex flex-col gap-2">
            {users.map((user) => (
              <UserRow key={user.name} user={user} canEdit={canEdit} onDone={load} />
            ))}
          </ul>
        </section>
      )}
      {devices && <Devices devices={devices} canEdit={canEdit} onDone={load} />}
    </div>
  );
}

function UserRow(props: { user: User; canEdit: boolean; onDone: () => void }): JSX.Element {
  const { user } = props;
  const [open, setOpen] = useState(false);
  return (
    <li data-testid="user-row" data-name={user.name} class="card-plain flex flex-wrap items-center gap-x-4 gap-y-2">
      <div class="min-w-0 grow">
        <p class="font-medium break-words">{user.display_name}</p>
        <p class="muted text-sm break-words">
          {user.name} · {word("role", user.role)}
          {user.linked && ` · ${t("office/people/linked")}`}
        </p>
      </div>
      {user.disabled && <span class="badge badge-warning">{t("office/people/disabled")}</span>}
      {props.canEdit && (
        <button
          type="button"
          class="btn btn-outline"
          aria-haspopup="dialog"
          aria-label={t("office/people/edit_user", { name: user.name })}
          onClick={() => setOpen(true)}
        >
          {t("office/people/edit")}
        </button>
      )}
      {open && (
        <EditUserDialog
          user={user}
          onClose={() => setOpen(false)}
          onDone={() => {
            setOpen(false);
            props.onDone();
          }}
        />
      )}
    </li>
  );
}

function EditUserDialog(props: { user: User; onClose: () => void; onDone: () => void }): JSX.Element {
  const { user } = props;
  const [displayName, setDisplayName] = useState(user.display_name);
  const [role, setRole] = useState<Role>(user.role);
  const [password, setPassword] = useState("");
  const { busy, error, send } = useRequest(props.onDone);
  const save = (event: SubmitEvent): void => {
    event.preventDefault();
    const change: UserChange = {};
    if (displayName.trim() !== user.display_name) change.display_name = displayName.trim();
    if (role !== user.role) change.role = role;
    if (password) change.password = password;
    send(() => api.changeUser(user.name, change));
  };
  return (
    <Dialog title={user.name} onClose={props.onClose}>
      <form class="flex flex-col gap-4" onSubmit={save}>
        <TextField label={t("office/people/display_name")} value={displayName} onInput={setDisplayName} />
        <Select
          label={t("office/people/role")}
          options={ROLES}
          value={role}
          word={(option) => word("role", option)}
          onChange={(option) => option && setRole(option)}
        />
        <PasswordField label={t("office/people/new_password")} value={password} onInput={setPassword} />
        <p class="muted text-sm">{t("office/people/ends")}</p>
        {error && <Alert tone="error">{error}</Alert>}
        <button type="submit" class="btn btn-primary" disabled={busy}>
          {t("office/people/save")}
        </button>
        <div class="flex flex-wrap gap-2">
          <button
            type="button"
            class="btn btn-outline grow"
            disabled={busy}
            onClick={() => send(() => api.changeUser(user.name, { disabled: !user.disabled }))}
          >
            {t(user.disabled ? "office/people/enable" : "office/people/disable")}
          </button>
          {user.linked && (
            <button
              type="button"
              class="btn btn-outline grow"
              disabled={busy}
              onClick={() => send(() => api.changeUser(user.name, { unlink: true }))}
            >
              {t("office/people/unlink")}
            </button>
          )}
        </div>
      </form>
    </Dialog>
  );
}

function AddUser({ onDone }: { onDone: () => void }): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="btn btn-primary" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        {t("office/people/add")}
      </button>
      {open && (
        <AddUserDialog
          onClose={() => setOpen(false)}
          onDone={() => {
            setOpen(false);
            onDone();
          }}
        />
      )}
    </>
  );
}

function AddUserDialog(props: { onClose: () => void; onDone: () => void }): JSX.Element {
  const [name, setName] = useState("");
  const [displayName, setDisplayName] = useState("");
  const [role, setRole] = useState<Role>("collector");
  const [password, setPassword] = useState("");
  const { busy, error, send } = useRequest(props.onDone);
  const add = (event: SubmitEvent): void => {
    event.preventDefault();
    const user = { name: name.trim(), display_name: displayName.trim(), role };
    send(() => api.addUser(password ? { ...user, password } : user));
  };
  return (
    <Dialog title={t("office/people/add")} onClose={props.onClose}>
      <form class="flex flex-col gap-4" onSubmit={add}>
        <TextField label={t("office/people/name")} value={name} hint={t("office/people/name_hint")} onInput={setName} />
        <TextField label={t("office/people/display_name")} value={displayName} onInput={setDisplayName} />
        <Select
          label={t("office/people/role")}
          options={ROLES}
          value={role}
          word={(option) => word("role", option)}
          onChange={(option) => option && setRole(option)}
        />
        <PasswordField label={t("sign_in/password")} value={password} onInput={setPassword} />
        {error && <Alert tone="error">{error}</Alert>}
        <button type="submit" class="btn btn-primary" disabled={busy || !name.trim()}>
          {t("office/people/add_now")}
        </button>
      </form>
    </Dialog>
  );
}

function PasswordField(props: { label: string; value: string; onInput: (text: string) => void }): JSX.Element {
  return (
    <Field label={props.label} hint={t("office/people/password_hint")}>
      {(id, note) => (
        <input
          id={id}
          aria-describedby={note}
          class="input w-full"
          type="password"
          autocomplete="new-password"
          value={props.value}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
