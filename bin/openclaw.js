#!/usr/bin/env node
"use strict";
// Written in the syntax of old Node versions, so that they can read the message instead of failing on it.
var version = process.versions.node.split(".");
if (Number(version[0]) < 20 || (Number(version[0]) === 20 && Number(version[1]) < 19)) {
  // What is too old is mostly the system's own Node: https://github.com/nodesource/distributions has newer ones.
  // Node before 14.18 does not know it as node:fs.
  var files = "fs";
  var has = require(files).existsSync;
  var source = function (format, shell, manager) {
    return (
      "curl -fsSL https://" +
      format +
      ".nodesource.com/setup_24.x | sudo " +
      shell +
      " - && sudo " +
      manager +
      " install -y nodejs"
    );
  };
  process.stderr.write(
    "openclaw: Node " +
      process.versions.node +
      " is too old; openclaw needs Node 20.19 or newer.\n" +
      "hint: " +
      (has("/usr/bin/apt-get")
        ? source("deb", "-E bash", "apt-get")
        : has("/usr/bin/dnf")
          ? source("rpm", "bash", "dnf")
          : "install a current Node (https://nodejs.org/en/download) and run the command again.") +
      "\n"
  );
  process.exitCode = 1;
} else if (!tellsVersion()) {
  // The AWS SDK reads process.env by itself and takes a blank variable for a value, so blanks go before it loads.
  var blanks = Object.keys(process.env).filter(function (name) {
    return /^AWS_|_proxy$/i.test(name) && process.env[name].trim() === "";
  });
  blanks.forEach(function (name) {
    delete process.env[name];
  });
  // `openclaw doctor` tells of them all the same.
  process.env.OPENCLAW_BLANK_VARIABLES = blanks.join(",");
  // Its end-of-support warning for Node 20 is a finding of `openclaw doctor`, not stray stderr.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";
  // Compiled code is kept beside the program, or in the state folder where the program is not this user's.
  // Coverage needs the code compiled afresh.
  var modules = require("node:module");
  if (modules.enableCompileCache && !process.env.NODE_V8_COVERAGE) {
    var path = require("node:path");
    var failed = modules.constants.compileCacheStatus.FAILED;
    if (modules.enableCompileCache(path.join(__dirname, "..", "dist", ".compiled")).status === failed) {
      var home = process.env.HOME || process.env.USERPROFILE;
      var state = process.env.OPENCLAW_STATE_DIR || (home && path.join(home, ".openclaw"));
      if (state) modules.enableCompileCache(path.join(state, "cache", "compiled"));
    }
  }
  try {
    require("../dist/main.js");
  } catch (error) {
    var isMissing = error.message.indexOf("Cannot find module '../dist/main.js'") === 0;
    if (!isMissing && !(error instanceof SyntaxError)) throw error;
    // The package has no sources.
    var isClone = require("node:fs").existsSync(require("node:path").join(__dirname, "..", "src"));
    process.stderr.write(
      isClone
        ? "openclaw: this clone is not built yet.\nhint: npm start\n"
        : "error: This installation is broken: main.js is " +
            (isMissing ? "missing" : "not whole") +
            ".\nhint: Install it again: npm install -g openclaw\n"
    );
    process.exitCode = 1;
  }
}

/** Tells the version alone, without loading the program. What stdout does not take is left to the program, which says why. */
function tellsVersion() {
  if (process.argv.length !== 3 || !/^(--version|-V)$/.test(process.argv[2])) return false;
  try {
    require("node:fs").writeSync(1, require("../package.json").version + "\n");
    return true;
  } catch (error) {
    if (error.code === undefined) throw error;
    return false;
  }
}
