/** The model that `--emulator` asks when neither flag nor config names one. A file of its own: every chat reads it. */
export const EMULATED_MODEL = "amazon.nova-lite-v1:0";
