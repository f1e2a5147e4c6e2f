/** Names of stores and locks. */

/** The store of the work on this phone. */
export const STORE = "doorstep";
/** The store of the practice mode. */
export const PRACTICE = "doorstep-practice";

/** Held by the page that records a recording, for as long as it does. */
export const recordingLock = (recording: string): string => `doorstep-recording-${recording}`;
