// The emulator, which takes what is submitted and starts no job of it. Prints its address as JSON and runs until its stdin ends.
import { startEmulator } from "../../src/emulator/emulator.ts";

const { url, accessKeyId, secretAccessKey, stop } = await startEmulator({
  remembersCalls: false,
  leastRecords: 1,
  jobSeconds: 86_400,
});
console.log(JSON.stringify({ url, accessKeyId, secretAccessKey }));
process.stdin.resume().on("end", () => void stop().then(() => process.exit(0)));
