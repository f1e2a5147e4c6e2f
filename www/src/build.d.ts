/** Put in by the build: the version of the package. */
declare const __VERSION__: string;
