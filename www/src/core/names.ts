/** Names of stores. */

/** What a phone holds. */
export const STORE = "doorstep";
/** Made-up records to practise with. */
export const PRACTICE = "doorstep-practice";
