#!/usr/bin/env node
// Offers the wasm build of solc (npm) as the executable that Brownie and forge expect.
//
//   solc.js --version                      prints the version in the native binary's form
//   solc.js --standard-json [FILE]         compiles the JSON input of FILE, or of standard input
//
// Other options (--allow-paths, --base-path, ...) are accepted and ignored, except that their
// value is not taken for FILE.
"use strict";

const fs = require("fs");
const path = require("path");

const OPTIONS_WITH_VALUE = new Set(["--allow-paths", "--base-path", "--include-path"]);

// Any stray exception of the wasm build must be a failure, never an empty success.
process.on("uncaughtException", (error) => fail(error && error.stack ? error.stack : error));

function fail(message) {
  fs.writeSync(2, `solc.js: ${message}\n`);
  process.exit(1);
}

// A pipe can take part of the data (EAGAIN when it is full), and process.exit() drops whatever an
// asynchronous write still holds: so write synchronously until everything is out.
function writeAll(text) {
  const data = Buffer.from(text, "utf8");
  let offset = 0;
  while (offset < data.length) {
    try {
      offset += fs.writeSync(1, data, offset, data.length - offset);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function inputFile(args) {
  for (let i = 0; i < args.length; i += 1) {
    if (OPTIONS_WITH_VALUE.has(args[i])) i += 1;
    else if (!args[i].startsWith("-")) return args[i];
  }
  return 0; // standard input
}

// Brownie passes remapped paths ("node_modules/@openzeppelin/...") relative to the project.
function importFromDisk(name) {
  try {
    return { contents: fs.readFileSync(path.resolve(name), "utf8") };
  } catch (error) {
    return { error: `cannot read ${name}: ${error.message}` };
  }
}

function main(args) {
  const solc = require("solc");
  if (args.includes("--version")) {
    const version = solc.version().replace(/\.Emscripten\.clang$/, ".Linux.g++");
    writeAll(
      "solc, the solidity compiler commandline interface\n" + `Version: ${version}\n`,
    );
    return;
  }
  if (!args.includes("--standard-json")) fail("only --version and --standard-json are offered");
  const input = fs.readFileSync(inputFile(args), "utf8");
  writeAll(solc.compile(input, { import: importFromDisk }) + "\n");
}

main(process.argv.slice(2));
process.exit(0);
