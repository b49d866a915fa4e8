// Preloaded into every Node inside a sandbox (NODE_OPTIONS). Versions that know NODE_USE_ENV_PROXY need nothing; in older ones http,
// https and fetch ignore the proxy variables, and this sends their connections through the proxy by CONNECT.
"use strict";

const proxy = process.env.HTTPS_PROXY && new URL(process.env.HTTPS_PROXY);
if (proxy && !process.allowedNodeEnvironmentFlags.has("--use-env-proxy")) {
  const http = require("node:http");
  const https = require("node:https");
  const net = require("node:net");
  const tls = require("node:tls");

  const direct = (host) => {
    const name = String(host).toLowerCase().replace(/^\[|\]$/g, "");
    const exceptions = (process.env.NO_PROXY || "").split(",").map((each) => each.trim()).filter(Boolean);
    return exceptions.some((each) => each === "*" || name === each || (each.startsWith(".") && name.endsWith(each)));
  };

  // A socket to host:port through the proxy, plain bytes: callback(error, socket).
  const throughProxy = (host, port, callback) => {
    const name = net.isIPv6(host) ? `[${host}]` : host;
    const socket = net.connect(Number(proxy.port || 80), proxy.hostname);
    let answer = Buffer.alloc(0);
    const fail = (error) => {
      socket.destroy();
      callback(error);
    };
    const read = (data) => {
      answer = Buffer.concat([answer, data]);
      const end = answer.indexOf("\r\n\r\n");
      if (end < 0 && answer.length < 65536) return;
      socket.removeListener("data", read);
      socket.removeListener("error", fail);
      socket.removeListener("close", ended);
      const head = answer.toString("latin1", 0, Math.max(end, 0));
      if (!/^HTTP\/1\.[01] 200/.test(head)) {
        const why = /^cfwb-refused: (.*)$/im.exec(head);
        return fail(Object.assign(new Error(why ? why[1] : `proxy: ${head.split("\r\n")[0]}`), { code: "ECONNREFUSED" }));
      }
      socket.pause();
      if (answer.length > end + 4) socket.unshift(answer.subarray(end + 4));
      callback(null, socket);
    };
    const ended = () => fail(Object.assign(new Error("the proxy closed the connection"), { code: "ECONNRESET" }));
    socket.on("data", read).once("error", fail).once("close", ended);
    socket.write(`CONNECT ${name}:${port} HTTP/1.1\r\nHost: ${name}:${port}\r\n\r\n`);
  };

  const secured = (socket, options, callback) => {
    const host = options.servername || options.hostname || options.host;
    const secure = tls.connect({ ...options, path: undefined, socket, servername: net.isIP(host) ? "" : host });
    const fail = (error) => callback(error);
    secure.once("error", fail).once("secureConnect", () => {
      secure.removeListener("error", fail);
      callback(null, secure);
    });
  };

  for (const [module, port] of [[http, 80], [https, 443]]) {
    const original = module.Agent.prototype.createConnection;
    module.Agent.prototype.createConnection = function createConnection(options, callback) {
      const host = options && (options.host || options.hostname);
      if (!host || options.socketPath || options.socket || typeof callback !== "function" || direct(host)) {
        return original.apply(this, arguments);
      }
      throughProxy(host, options.port || port, (error, socket) => {
        if (error) return callback(error);
        if (module === http) return callback(null, socket);
        return secured(socket, options, callback);
      });
      return undefined;
    };
  }

  // fetch: the undici inside Node has one dispatcher for all, of a class that is reachable through it alone.
  const key = Symbol.for("undici.globalDispatcher.1");
  const original = globalThis.fetch;
  let ready = false;
  const prepare = () => {
    ready = true;
    void globalThis.Headers; // loads it
    const dispatcher = globalThis[key];
    if (!dispatcher || dispatcher.constructor.name !== "Agent") return;
    const connect = (options, callback) => {
      const encrypted = options.protocol === "https:";
      const port = Number(options.port) || (encrypted ? 443 : 80);
      const plain = (error, socket) => {
        if (error) return callback(error, null);
        if (!encrypted) return callback(null, socket);
        return secured(socket, { host: options.hostname, servername: options.servername, ALPNProtocols: ["http/1.1"] },
          (problem, secure) => callback(problem || null, problem ? null : secure));
      };
      if (!direct(options.hostname)) return throughProxy(options.hostname, port, plain);
      const socket = net.connect(port, options.hostname);
      const fail = (error) => plain(error);
      return socket.once("error", fail).once("connect", () => {
        socket.removeListener("error", fail);
        plain(null, socket);
      });
    };
    globalThis[key] = new dispatcher.constructor({ connect });
  };
  if (typeof original === "function") {
    globalThis.fetch = function fetch(input, init) {
      if (!ready) prepare();
      return original(input, init);
    };
  }
}
