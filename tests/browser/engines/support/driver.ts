/**
 * What a walk needs of a browser, small enough that every protocol has it: Puppeteer drives Chromium and
 * Firefox, WebDriver drives WebKit.
 */

/** One window or tab. */
export interface Tab {
  open(url: string): Promise<void>;
  reload(): Promise<void>;
  /** Runs a function in the page. It sees nothing of this file but its arguments, which travel as JSON. */
  evaluate<A extends unknown[], T>(fn: (...args: A) => T | Promise<T>, ...args: A): Promise<T>;
  /** Presses the main button of the mouse and moves along the points, in CSS pixels of the view. */
  drag(points: Point[]): Promise<void>;
  /** Types text without control characters on the keyboard. */
  type(text: string): Promise<void>;
  close(): Promise<void>;
}

export interface Point {
  x: number;
  y: number;
}

/** A running browser over a profile on disk. */
export interface Browser {
  /** The tab that is open after the start. */
  first: Tab;
  newTab(): Promise<Tab>;
  /** SIGKILL to every process of the browser: no warning, nothing flushed. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

export interface Engine {
  name: EngineName;
  /** The packages of Debian that it needs, if they are missing. */
  missing(): string | undefined;
  start(profile: string): Promise<Browser>;
}

export type EngineName = "chromium" | "firefox" | "webkit";

/** A small phone's screen, in CSS pixels. */
export const SCREEN = { width: 360, height: 640 };
/** Where the phone is. */
export const POSITION = { latitude: 29.8683, longitude: 121.544, accuracy: 12 };

/** Kills a process and all that it started, if it leads a group of its own. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All of them have ended.
  }
}
