/** Elements by what a person sees of them, and a person's actions on them. */
import type { Tab } from "./driver";

/** The first visible element that fits. `name` is a part of its accessible name, unless `exact`. */
export interface Query {
  role?: "button" | "link" | "radio" | "radiogroup" | "heading" | "alert" | "dialog" | "img";
  name?: string;
  exact?: boolean;
  /** A form control by a part of its label. */
  label?: string;
  testId?: string;
  css?: string;
  /** The smallest element with this text in it. */
  text?: string;
  /** Inside of another one. */
  within?: Query;
  /** The last one that fits. */
  last?: boolean;
}

/** An element as it is now. */
export interface Seen {
  text: string;
  value: string;
  checked: boolean;
  disabled: boolean;
  state: string;
  /** Centre, width and height of the part in view, in CSS pixels. */
  x: number;
  y: number;
  width: number;
  height: number;
  /** Nothing lies over its centre. */
  free: boolean;
  /** The number of elements that fit. */
  count: number;
}

/** As long as the slowest walk on a busy machine takes. */
const WAIT_MS = 60_000;
const POLL_MS = 100;

/** In the page: finds an element, brings it into view, gives what is seen of it, and may change it. */
function inPage(query: Query, action: "look" | "focus" | "fill", text: string): Seen | null {
  const ROLES: Record<string, string> = {
    button: "button, [role=button]",
    link: "a[href]",
    radio: "[role=radio], input[type=radio]",
    radiogroup: "[role=radiogroup], fieldset",
    heading: "h1, h2, h3, h4",
    alert: "[role=alert]",
    dialog: "dialog[open], [role=dialog]",
    img: "img, [role=img]",
  };
  const squeeze = (words: string | null | undefined): string => (words ?? "").replace(/\s+/g, " ").trim();
  const labelOf = (element: Element): string => {
    const by = element.getAttribute("aria-labelledby")?.split(" ") ?? [];
    const named = by.map((id) => document.getElementById(id)?.textContent).join(" ");
    const labels = [...((element as HTMLInputElement).labels ?? [])].map((label) => label.textContent).join(" ");
    return squeeze(element.getAttribute("aria-label") ?? (named || labels));
  };
  const nameOf = (element: Element): string => {
    const legend = element.matches("fieldset") ? element.querySelector("legend")?.textContent : null;
    return labelOf(element) || squeeze(legend ?? element.textContent);
  };
  const visible = (element: Element): boolean =>
    element.getClientRects().length > 0 && getComputedStyle(element).visibility === "visible";
  const all = (wanted: Query): Element[] => {
    const roots = wanted.within ? all(wanted.within).slice(0, 1) : [document.documentElement];
    const selector = wanted.testId
      ? `[data-testid="${wanted.testId}"]`
      : (wanted.css ??
        (wanted.role ? ROLES[wanted.role] : wanted.label === undefined ? "body *" : "input, textarea, select"));
    let found = roots.flatMap((root) => [...root.querySelectorAll(selector ?? "*")]).filter(visible);
    const { name, label, text: words, exact } = wanted;
    if (name !== undefined) found = found.filter((one) => (exact ? nameOf(one) === name : nameOf(one).includes(name)));
    if (label !== undefined) found = found.filter((one) => labelOf(one).includes(label));
    if (words !== undefined) {
      found = found.filter((one) => squeeze(one.textContent).includes(words));
      found = found.filter((one) => !found.some((other) => other !== one && one.contains(other)));
    }
    return wanted.last ? found.reverse() : found;
  };
  const found = all(query);
  const element = found[0] as HTMLInputElement | undefined;
  if (!element) return null;
  if (action !== "look") {
    element.focus();
    if (action === "fill") {
      if (["date", "datetime-local", "time"].includes(element.type)) {
        // The pickers differ; all of them end in this.
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(element, text);
        element.dispatchEvent(new Event("input", { bubbles: true }));
        element.dispatchEvent(new Event("change", { bubbles: true }));
      } else {
        element.select();
        document.execCommand(text === "" ? "delete" : "insertText", false, text);
      }
    }
  }
  let box = element.getBoundingClientRect();
  const middle = (): [number, number] => [box.left + box.width / 2, box.top + box.height / 2];
  const atTop = (): boolean => {
    const hit = document.elementFromPoint(...middle());
    if (!hit) return false;
    const labels = [...(element.labels ?? [])];
    return element.contains(hit) || labels.some((label) => label.contains(hit));
  };
  if (!atTop()) {
    element.scrollIntoView({ block: "center", behavior: "instant" });
    box = element.getBoundingClientRect();
  }
  const [x, y] = middle();
  return {
    text: squeeze(element.innerText),
    value: element.value ?? "",
    checked: element.checked || element.getAttribute("aria-checked") === "true",
    disabled: Boolean(element.disabled),
    state: element.dataset["state"] ?? "",
    x,
    y,
    width: box.width,
    height: box.height,
    free: atTop(),
    count: found.length,
  };
}

/** A tab as a person uses it. */
export class Page {
  constructor(readonly tab: Tab) {}

  open(url: string): Promise<void> {
    return this.tab.open(url);
  }

  reload(): Promise<void> {
    return this.tab.reload();
  }

  /** The element as it is at the moment, if it is there. */
  seen(query: Query): Promise<Seen | null> {
    // A page that is just being loaded has nothing to be seen.
    return this.tab.evaluate(inPage, query, "look" as const, "").catch(() => null);
  }

  /** Waits until an element is there and `met`. */
  async waitFor(query: Query, met: (seen: Seen) => boolean = () => true): Promise<Seen> {
    let last: Seen | null = null;
    const seen = await until(`${describe(query)}${String(met).replace(/^\(\) => true$/, "")}`, async () => {
      last = await this.seen(query);
      return last !== null && met(last) ? last : undefined;
    }).catch(async (cause: unknown) => {
      throw new Error(`${String(cause)}; last seen: ${JSON.stringify(last)}; the page:\n${await this.bodyText()}`);
    });
    return seen;
  }

  async click(query: Query): Promise<void> {
    await this.tab.drag([await this.atRest(query)]);
  }

  /** Waits until an element can be clicked and does not move. */
  private async atRest(query: Query): Promise<Seen> {
    let last = { x: NaN, y: NaN };
    return until(`a click on ${describe(query)}`, async () => {
      const seen = await this.seen(query);
      const still = seen !== null && seen.x === last.x && seen.y === last.y;
      if (seen) last = seen;
      if (seen && still && seen.free && !seen.disabled) return seen;
      if (seen && still && !seen.free) await this.dismiss();
      return undefined;
    }).catch(async (cause: unknown) => {
      throw new Error(`${String(cause)}; the page:\n${await this.bodyText()}`);
    });
  }

  private async bodyText(): Promise<string> {
    const text = await this.tab.evaluate(() => document.body.innerText).catch(() => "");
    return text.slice(0, 3_000);
  }

  /** Replaces what a field has, as a paste does. */
  async fill(query: Query, text: string): Promise<void> {
    await this.waitFor(query);
    await this.tab.evaluate(inPage, query, "fill" as const, text);
    await this.waitFor(query, ({ value }) => value === text);
  }

  /** Types at the end of a field. */
  async type(query: Query, text: string): Promise<void> {
    const { value } = await this.waitFor(query);
    await this.tab.evaluate(inPage, query, "focus" as const, "");
    await this.tab.evaluate(() => {
      const field = document.activeElement as HTMLInputElement;
      field.setSelectionRange(field.value.length, field.value.length);
    });
    await this.tab.type(text);
    await this.waitFor(query, (seen) => seen.value === value + text);
  }

  async blur(): Promise<void> {
    await this.tab.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  }

  /** Draws a line across an element. */
  async scribble(query: Query): Promise<void> {
    const { x, y, width, height } = await this.atRest(query);
    const at = (right: number, down: number) => ({ x: x + right * width, y: y + down * height });
    await this.tab.drag([at(-0.3, -0.2), at(-0.1, 0.3), at(0.1, -0.3), at(0.3, 0.2)]);
  }

  /** A notice lies over what is to be clicked. */
  private async dismiss(): Promise<void> {
    const notice = await this.seen({ role: "button", name: "Dismiss" });
    if (notice?.free) await this.tab.drag([notice]);
  }
}

/** Waits until something has a value. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    const value = await ask();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
}

function describe(query: Query): string {
  return JSON.stringify(query);
}
