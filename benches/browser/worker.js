/**
 * The app's driver, store and HTTP client in a worker of their own: starts from IndexedDB, and either
 * edits without a link or stays until it is up to date.
 */
import init, { Keyring, Workspace } from "../../www/src/wasm/doorstep";
import { DeviceStore } from "../../www/src/core/store/deviceStore";
import { Driver } from "../../www/src/core/worker/driver";
import { Office, OfficeError } from "../../www/src/core/worker/office";
import { commandsOf } from "../peers/lib/commands.mjs";

const ZONE = "Asia/Shanghai";
const now = () => performance.timeOrigin + performance.now();
const times = {};

self.onmessage = async ({ data }) => {
  // The worker's own URL is a blob: paths need the page's origin.
  const { fetch } = self;
  self.fetch = (path, options) => fetch(new URL(path, data.origin), options);
  await init({ module_or_path: data.wasm });
  const store = await DeviceStore.open(data.store);
  const session = await store.takeOver();
  const rows = await store.startRows();
  const { user, role, device } = data.session;
  const key = new Keyring(new Uint8Array(32).fill(7), user, role);
  const workspace = new Workspace(device, session, key, crypto.getRandomValues(new Uint8Array(16)), rows, Date.now());
  const offline = { sync: () => Promise.reject(new OfficeError("offline")) };
  const fail = (cause) => self.postMessage({ failed: String(cause) });
  const driver = new Driver(workspace, store, data.edits ? offline : new Office(device), onEvent, fail, fail);
  if (data.edits) {
    for (const { id, step } of data.edits) await edit(driver, id, step);
    self.postMessage({ edited: true });
    return;
  }
  driver.call((workspace) => workspace.retainForAttachments([], Date.now()));
  await driver.complete;
  // From the first look on the list announces its changes.
  onEvent({ type: "list" });

  function onEvent(event) {
    if (event.type === "list") times.list ??= workspace.listChanges(null, 1).rows.length > 0 ? now() : undefined;
    if (event.type !== "status" || event.status.state !== "in-step" || times.inStep) return;
    times.inStep = now();
    self.postMessage({ ...times });
  }
};

async function edit(driver, id, step) {
  const loaded = driver.loaded(id);
  driver.call((workspace) => workspace.open(id));
  await loaded;
  const view = driver.call((workspace) => workspace.view(id));
  for (const command of commandsOf(step, view)) {
    let durable;
    driver.call((workspace) => {
      durable = driver.durable(workspace.apply(id, command, step.at, ZONE));
    });
    await durable;
  }
  driver.call((workspace) => workspace.close(id));
}
