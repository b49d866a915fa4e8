// Runs cells of JavaScript or TypeScript in Node: variables stay, also those of const and let (which may be declared again), await and
// import work at the top level, the value of the last expression is shown.
//
// V8 itself does this for the console of its developer tools (Runtime.evaluate with replMode), so cells are given to its inspector from
// within the process. A second thread waits for interrupts, because this one may be in a loop without end. What the inspector does not
// know is `import`; see `rewrite`. All of this is in a function, so that none of its names is seen by a cell.
"use strict";

(() => {

const fs = require("node:fs");
const inspector = require("node:inspector");
const { createRequire, stripTypeScriptTypes } = require("node:module");
const net = require("node:net");
const { pathToFileURL } = require("node:url");
const util = require("node:util");
const vm = require("node:vm");
const { Worker } = require("node:worker_threads");

const LANGUAGE = process.argv.at(-1);
const KEY = Symbol.for("cfwb.cells");
const ROWS = 1000;
const LONGEST_TEXT = 1 << 20;
const LARGEST = 16 << 20;
const LARGEST_FRAME = 24 << 20; // more of one result than its text is left out, and what is said

function send(frame) {
  let data = Buffer.from(JSON.stringify(frame) + "\n");
  if (data.length > LARGEST_FRAME) {
    const { type, text, name, message, ...rest } = frame;
    const left = { "application/x-cfwb-left-out": Object.keys(rest).sort() };
    data = Buffer.from(JSON.stringify({ type, text, name, message, data: left }) + "\n");
  }
  while (data.length) {
    try {
      data = data.subarray(fs.writeSync(4, data));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

// ---- values

const asJson = (value) => {
  try {
    const text = JSON.stringify(value);
    return text === undefined || text.length > LARGEST ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
};

const isPlain = (value) => {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null;
};

const BUNDLE = {
  "text/plain": "text",
  "text/html": "html",
  "text/markdown": "markdown",
  "image/svg+xml": "svg",
  "text/latex": "latex",
  "application/javascript": "javascript",
  "image/png": "png",
  "image/jpeg": "jpeg",
  "application/json": "json",
};

// The fields of a result, named as in the sandbox SDK; `table` is {columns, rows, total}.
function show(value) {
  let text;
  try {
    text = util.inspect(value, { depth: 4, maxArrayLength: 200, maxStringLength: 10000, breakLength: 100 });
  } catch (error) {
    text = `<${typeof value} that cannot be shown: ${error}>`;
  }
  if (text.length > LONGEST_TEXT) text = text.slice(0, LONGEST_TEXT) + "…";
  const found = { text };
  if (typeof value === "object" && value !== null) {
    try {
      // The convention of other JavaScript notebooks: a method that gives a MIME bundle.
      const bundle = value[Symbol.for("Jupyter.display")]?.();
      for (const [kind, made] of Object.entries(bundle ?? {})) {
        if (BUNDLE[kind]) found[BUNDLE[kind]] = made;
        else (found.data ??= {})[kind] = made;
      }
    } catch {
      // shown as text, then
    }
  }
  if (value instanceof Uint8Array && value.length <= (LARGEST * 3) / 4) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    if (bytes.subarray(0, 8).equals(Buffer.from("89504e470d0a1a0a", "hex"))) found.png = bytes.toString("base64");
    else if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) found.jpeg = bytes.toString("base64");
  }
  if (isPlain(value)) {
    const json = asJson(value);
    if (json !== undefined) found.json ??= json;
    const table = json === undefined ? null : tableOf(value);
    if (table) found.table = table;
  }
  return found;
}

function tableOf(value) {
  if (!Array.isArray(value) || !value.length) return null;
  const head = value.slice(0, ROWS);
  if (!head.every((row) => isPlain(row) && !Array.isArray(row))) return null;
  const columns = Object.keys(head[0]);
  const same = (row) => Object.keys(row).length === columns.length && columns.every((column) => column in row);
  if (!columns.length || !head.every(same)) return null;
  const cell = (each) =>
    each === null || ["string", "number", "boolean"].includes(typeof each) ? each : each === undefined ? null : util.inspect(each);
  return { columns, rows: head.map((row) => columns.map((column) => cell(row[column]))), total: value.length };
}

// ---- code

const LOAD = `globalThis[Symbol.for("cfwb.cells")].load`;
const META = `globalThis[Symbol.for("cfwb.cells")].meta`;
const STATIC =
  /^import\s*(?:(?<single>[\p{ID_Start}$_][\p{ID_Continue}$]*)\s*,?\s*)?(?:\*\s*as\s+(?<all>[\p{ID_Start}$_][\p{ID_Continue}$]*)|(?<some>\{[^}]*\}))?\s*(?:from\s*)?(?<module>"[^"\n]+"|'[^'\n]+')(?:\s*with\s*(?<options>\{[^}]*\}))?[^\S\n]*;?/u;
const BEFORE_REGEXP = new Set("return typeof case in of delete void throw new instanceof do else await yield".split(" "));

// `import` as the inspector knows it not: import(...) and import.meta through us, import statements as awaited calls, `export` before
// a declaration left out. Strings, templates, comments and regular expressions are passed over; lines stay where they are.
function rewrite(code) {
  let out = "";
  let depth = 0;
  let previous = "";
  const templates = [];
  const end = code.length;
  for (let at = 0; at < end; ) {
    const rest = (pattern) => {
      pattern.lastIndex = at;
      return pattern.exec(code)?.[0];
    };
    const here = code[at];
    let piece = here;
    let significant = true;
    if (code.startsWith("//", at) || code.startsWith("/*", at)) {
      piece = rest(/\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)/y);
      significant = false;
    } else if (here === '"' || here === "'") {
      piece = rest(/"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?/y);
    } else if (here === "`" || (here === "}" && templates.at(-1) === depth)) {
      if (here === "}") templates.pop();
      piece = rest(/[`}](?:\\[^]|\$(?!\{)|[^`\\$])*(?:`|\$\{|$)/y);
      if (piece.endsWith("${")) {
        templates.push(depth);
        previous = "{";
        out += piece;
        at += piece.length;
        continue;
      }
      previous = "`";
      out += piece;
      at += piece.length;
      continue;
    } else if (here === "/" && (!previous || BEFORE_REGEXP.has(previous) || /^[(,=:[!&|?{};+\-*%~^<>]$/.test(previous))) {
      piece = rest(/\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y) ?? here;
      previous = piece.length > 1 ? "x" : "/";
      out += piece;
      at += piece.length;
      continue;
    } else if (/\s/.test(here)) {
      piece = rest(/\s+/y);
      significant = false;
    } else if (/[\p{ID_Start}$_]/u.test(here)) {
      piece = rest(/[\p{ID_Start}$_][\p{ID_Continue}$]*/uy) ?? here;
      const top = depth === 0 && !templates.length;
      if (piece === "import" && previous !== ".") {
        const after = code.slice(at);
        const statement = top && STATIC.exec(after);
        if (/^import\s*\(/.test(after)) {
          out += LOAD;
          at += piece.length;
          previous = "x";
          continue;
        }
        if (/^import\s*\.\s*meta\b/.test(after)) {
          out += META;
          at += /^import\s*\.\s*meta/.exec(after)[0].length;
          previous = "x";
          continue;
        }
        if (statement) {
          out += imported(statement);
          at += statement[0].length;
          previous = ";";
          continue;
        }
      } else if (piece === "export" && top && /^export\s+(?:async|class|const|function|let|var)\b/.test(code.slice(at))) {
        at += piece.length;
        continue;
      }
    } else if (/[0-9]/.test(here)) {
      piece = rest(/[0-9][\w.]*/y);
    } else if ("([{".includes(here)) depth += here === "{" ? 1 : 0;
    else if (here === "}") depth -= 1;
    out += piece;
    at += piece.length;
    if (significant) previous = /^[\p{ID_Continue}$]/u.test(piece) ? piece : piece.at(-1);
  }
  return out;
}

function imported({ 0: whole, groups }) {
  const call = `await ${LOAD}(${groups.module}${groups.options ? `, { with: ${groups.options} }` : ""})`;
  const lines = "\n".repeat(whole.split("\n").length - 1);
  if (groups.all) {
    const single = groups.single ? `, ${groups.single} = ${groups.all}.default` : "";
    return `const ${groups.all} = ${call}${single};${lines}`;
  }
  const names = (groups.some ?? "{}").slice(1, -1).split(",").map((name) => name.trim()).filter((name) => name && !/^type\s/.test(name));
  const pairs = names.map((name) => name.replace(/\s+as\s+/, ": "));
  if (groups.single) pairs.unshift(`default: ${groups.single}`);
  return (pairs.length ? `const { ${pairs.join(", ")} } = ${call};` : `${call};`) + lines;
}

function compiler() {
  if (LANGUAGE !== "typescript") return (code) => code;
  if (typeof stripTypeScriptTypes === "function") {
    return (code) => stripTypeScriptTypes(code, { mode: "transform" });
  }
  try {
    const typescript = createRequire(`${process.cwd()}/`)("typescript");
    const options = { target: "ES2022", module: "ESNext", isolatedModules: true, verbatimModuleSyntax: true };
    return (code) => typescript.transpileModule(code, { compilerOptions: options }).outputText;
  } catch {
    throw new Error(
      `TypeScript needs Node 22.13 or newer (here is ${process.version}), or the package typescript in ${process.cwd()}`,
    );
  }
}

// ---- running

const session = new inspector.Session();
session.connect();
const post = (method, parameters) =>
  new Promise((resolve, reject) => session.post(method, parameters, (error, result) => (error ? reject(error) : resolve(result))));

const state = {
  taken: undefined,
  take(value) {
    this.taken = value;
  },
  load: globalThis[Symbol.for("cfwb.load")],
  meta: { url: pathToFileURL(`${process.cwd()}/cell.js`).href, dirname: process.cwd(), filename: `${process.cwd()}/cell.js` },
};
Object.defineProperty(globalThis, KEY, { value: state });

let count = 0;
let helper;
let interrupt = null;
// [whether a cell runs, whether this thread has heard of the interrupt]
const shared = new Int32Array(new SharedArrayBuffer(8));

const WATCH = `
  const { parentPort, workerData } = require("node:worker_threads");
  const fs = require("node:fs");
  const inspector = require("node:inspector");
  const session = new inspector.Session();
  session.connectToMainThread();
  const byte = Buffer.alloc(1);
  while (fs.readSync(5, byte)) {
    if (!Atomics.load(workerData, 0)) continue;
    Atomics.store(workerData, 1, 0);
    // A thread that waits hears of it by itself. One that is in a loop has to be stopped first; stopping one that waits would stop
    // whatever it does next, which may be the hearing: then it is told again.
    for (let told = 0; told < 20 && Atomics.load(workerData, 0); told += 1) {
      parentPort.postMessage("interrupted");
      if (Atomics.wait(workerData, 1, 0, 250) !== "timed-out") break;
      session.post("Runtime.terminateExecution");
    }
  }`;

async function valueOf(remote) {
  let given = {};
  if (remote.objectId) given = { objectId: remote.objectId };
  else if (remote.unserializableValue) given = { unserializableValue: remote.unserializableValue };
  else if ("value" in remote) given = { value: remote.value };
  helper ??= (await post("Runtime.evaluate", { expression: `globalThis[Symbol.for("cfwb.cells")]` })).result.objectId;
  await post("Runtime.callFunctionOn", { objectId: helper, functionDeclaration: "function (value) { this.take(value); }", arguments: [given] });
  const value = state.taken;
  state.taken = undefined;
  return value;
}

function tellError(error, details) {
  const isError = util.types.isNativeError(error) || error instanceof Error;
  const name = isError ? String(error.name) : "Error";
  const message = isError ? String(error.message) : util.inspect(error);
  let stack = isError ? String(error.stack ?? error) : `Uncaught ${message}`;
  const lines = stack.split("\n");
  const own = lines.findIndex((line) => /node:inspector|\[eval\]|driver\.cjs|node:internal/.test(line));
  stack = own < 0 ? lines : lines.slice(0, own);
  const from = new RegExp(`cell-${count}:(\\d+)`).exec(stack.join("\n"));
  const line = from ? Number(from[1]) : details && details.lineNumber >= 0 ? details.lineNumber + 1 : null;
  send({ type: "error", name, message, traceback: stack.map((each) => each + "\n"), lineNumber: line });
}

// `{a: 1}` as a whole cell means an object, as it does in every console.
function asExpression(code) {
  if (!/^\s*\{[^]*\}\s*$/.test(code)) return code;
  try {
    new vm.Script(`(${code}\n)`);
    return `(${code}\n)`;
  } catch {
    return code;
  }
}

async function run(code, compile) {
  count += 1;
  const stopped = new Promise((resolve) => {
    interrupt = () => resolve("interrupted");
  });
  const evaluate = async () => {
    const expression = `${rewrite(asExpression(compile(code)))}\n//# sourceURL=cell-${count}`;
    const options = { replMode: true, awaitPromise: true, objectGroup: "cell", generatePreview: false };
    const { result, exceptionDetails } = await post("Runtime.evaluate", { expression, ...options });
    if (exceptionDetails) {
      tellError(exceptionDetails.exception ? await valueOf(exceptionDetails.exception) : exceptionDetails.text, exceptionDetails);
      return;
    }
    if (result.type !== "undefined") send({ type: "result", ...show(await valueOf(result)) });
  };
  Atomics.store(shared, 0, 1);
  const tellInterrupt = () =>
    send({ type: "error", name: "Interrupted", message: "interrupted", traceback: ["Interrupted\n"], lineNumber: null });
  try {
    const outcome = evaluate();
    // When it is interrupted, what the evaluation still says does not matter.
    outcome.catch(() => {});
    if ((await Promise.race([outcome, stopped])) === "interrupted") tellInterrupt();
  } catch (error) {
    if (error?.code === "ERR_INSPECTOR_COMMAND") tellInterrupt();
    else tellError(error);
  } finally {
    Atomics.store(shared, 0, 0);
    interrupt = null;
    await post("Runtime.releaseObjectGroup", { objectGroup: "cell" }).catch(() => {});
  }
}

function main() {
  let compile;
  try {
    compile = compiler();
  } catch (error) {
    send({ type: "failed", message: error.message });
    return process.exit(1);
  }
  globalThis.require = createRequire(`${process.cwd()}/`);
  for (const name of ["module", "exports", "__filename", "__dirname"]) delete globalThis[name];
  globalThis.display = (...values) => values.forEach((value) => send({ type: "result", ...show(value) }));
  process.argv.splice(1);
  const leave = process.exit;
  process.exit = (code) => {
    throw new Error(`process.exit(${code ?? ""}) was called`);
  };
  const late = (error) => process.stderr.write(`Uncaught ${util.inspect(error)}\n`);
  process.on("uncaughtException", late).on("unhandledRejection", late);

  const watching = new Worker(WATCH, { eval: true, workerData: shared });
  watching.on("message", () => {
    Atomics.store(shared, 1, 1);
    Atomics.notify(shared, 1);
    interrupt?.();
  });
  watching.unref();

  let held = "";
  const waiting = [];
  let working = false;
  const work = async () => {
    if (working) return;
    working = true;
    while (waiting.length) {
      const { code, env } = JSON.parse(waiting.shift());
      Object.assign(process.env, env);
      await run(code, compile);
      send({ type: "done", count });
    }
    working = false;
  };
  const commands = new net.Socket({ fd: 3, readable: true, writable: false });
  commands.setEncoding("utf8");
  commands.on("data", (data) => {
    const lines = (held + data).split("\n");
    held = lines.pop();
    waiting.push(...lines);
    void work();
  });
  commands.on("end", () => leave.call(process, 0));
  send({ type: "ready", version: `Node ${process.version}` });
}

main();
})();
