#!/usr/bin/env node
// Compiles one contract after another with files of the checkout replaced in memory: loading the
// wasm compiler takes longer than compiling a contract.
//
// Reads a JSON line {changed: {path: text}, wanted: {path: [contract]}, optimize: bool} at a time from
// standard input; writes a JSON line {error: text | null, code: {contract: hex}} for each.
"use strict";

const fs = require("fs");
const path = require("path");
const readline = require("readline");
const solc = require("solc");

const REMAPPED = "@openzeppelin/";
const SETTINGS = {
  evmVersion: "london",
  remappings: [`${REMAPPED}=node_modules/${REMAPPED}`],
  // No hash of the sources in the code: equal code is an equal contract.
  metadata: { bytecodeHash: "none", appendCBOR: false },
};

function compile({ changed, wanted, optimize }) {
  const read = (name) => changed[name] ?? fs.readFileSync(path.resolve(name), "utf8");
  const sources = {};
  const outputSelection = {};
  for (const [file, names] of Object.entries(wanted)) {
    sources[file] = { content: read(file) };
    outputSelection[file] = {};
    for (const name of names) outputSelection[file][name] = ["evm.bytecode.object"];
  }
  const optimizer = { enabled: optimize, runs: 200 };
  const input = { language: "Solidity", sources, settings: { ...SETTINGS, optimizer, outputSelection } };
  const importer = (name) => {
    try {
      return { contents: read(name) };
    } catch (error) {
      return { error: String(error.message) };
    }
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: importer }));
  const failed = (output.errors || []).filter((one) => one.severity === "error");
  if (failed.length) return { error: failed[0].formattedMessage, code: {} };
  const code = {};
  for (const [file, names] of Object.entries(wanted)) {
    for (const name of names) code[name] = output.contracts[file][name].evm.bytecode.object;
  }
  return { error: null, code };
}

// A pipe that is full takes a part, or refuses: go on until everything is out.
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

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  let answer;
  try {
    answer = compile(JSON.parse(line));
  } catch (error) {
    answer = { error: `solc_worker: ${error.stack || error}`, code: {} };
  }
  writeAll(JSON.stringify(answer) + "\n");
});
