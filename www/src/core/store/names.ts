/** Names of stores and locks. */

/** What a phone holds. */
export const STORE = "doorstep";
/** Made-up records to practise with. */
export const PRACTICE = "doorstep-practice";

/** Held by the page that records, for as long as it does. */
export const recordingLock = (recording: string): string => `doorstep-recording-${recording}`;
