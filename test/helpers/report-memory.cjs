// Loaded into a program under test by NODE_OPTIONS: writes the most memory it ever held, in MB, to a file when it ends.
const { writeFileSync } = require("node:fs");

process.on("exit", () => {
  writeFileSync(process.env.OPENCLAW_TEST_MEMORY, String(process.resourceUsage().maxRSS / 1024));
});
