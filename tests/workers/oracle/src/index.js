// POST {"operation": ..., "args": {...}} answers {"result": ...} or {"error": {"name", "message"}}.
import { WorkflowEntrypoint } from "cloudflare:workers";
import { NonRetryableError } from "cloudflare:workflows";
import roomSource from "./room.txt";
import valuesSource from "./values.txt";
import { App, Room } from "./room.js";
import { catalogue, describe, build, fromBase64, toBase64 } from "./values.js";

export class Tenant extends Room {}
export class Unbound extends Room {}
export { App };

export class Legacy extends Room {}

/** Runs code through the loader, each facet under the name it is asked for. */
export class AppRunner extends Room {
  facetOptions() {
    const modules = { "room.js": roomSource, "values.js": valuesSource };
    const code = () => ({ compatibilityDate: "2026-11-01", mainModule: "room.js", modules });
    return { class: this.env.LOADER.get("app", code).getDurableObjectClass("App") };
  }
}

export class OrderFlow extends WorkflowEntrypoint {
  async run(event, step) {
    const order = await step.do("read order", async () => ({ order: event.payload.order ?? 1, total: 12.5 }));
    switch (event.payload.kind) {
      case "fail":
        await step.do("charge card", { retries: { limit: 1, delay: 10, backoff: "constant" } }, async () => {
          throw new Error("card declined");
        });
        break;
      case "refuse":
        await step.do("check stock", async () => { throw new NonRetryableError("out of stock"); });
        break;
      case "wait":
        return await step.waitForEvent("payment", { type: "payment", timeout: "365 days" });
      case "sleep":
        await step.sleep("until next year", "365 days");
    }
    await step.sleep("a moment", 100);
    return await step.do("ship", async () => ({ shipped: order.order }));
  }
}

const bytesOrNull = async (body) => (body ? toBase64(await body.arrayBuffer()) : null);

const kv = {
  put: (env, { binding, key, value, options }) => env[binding].put(key, fromBase64(value), options),
  put_many: async (env, { binding, entries }) => {
    for (const { key, value, options } of entries) await env[binding].put(key, fromBase64(value), options);
  },
  get: async (env, { binding, key, options = {} }) => {
    const { value, metadata } = await env[binding].getWithMetadata(key, { ...options, type: "arrayBuffer" });
    return value === null ? null : { value: toBase64(value), metadata };
  },
  list: (env, { binding, options }) => env[binding].list(options),
  delete: (env, { binding, key }) => env[binding].delete(key),
};

function r2Object(object) {
  if (!object) return null;
  const { key, version, size, etag, httpEtag, uploaded, httpMetadata, customMetadata, range, storageClass } = object;
  const checksums = object.checksums?.toJSON() ?? {};
  return { key, version, size, etag, httpEtag, uploaded, httpMetadata, customMetadata, range, storageClass, checksums };
}

const r2 = {
  put: async (env, { binding, key, value, options }) => {
    // JSON has no dates.
    const expiry = options?.httpMetadata?.cacheExpiry;
    if (expiry) options.httpMetadata.cacheExpiry = new Date(expiry);
    return r2Object(await env[binding].put(key, fromBase64(value), options));
  },
  get: async (env, { binding, key, options }) => {
    const object = await env[binding].get(key, options);
    return object && { ...r2Object(object), value: await bytesOrNull(object.body && object) };
  },
  head: async (env, { binding, key }) => r2Object(await env[binding].head(key)),
  list: async (env, { binding, options }) => {
    const page = await env[binding].list(options);
    return { ...page, objects: page.objects.map(r2Object) };
  },
  delete: (env, { binding, keys }) => env[binding].delete(keys),
  "multipart.create": async (env, { binding, key, options }) => (await env[binding].createMultipartUpload(key, options)).uploadId,
  "multipart.upload": async (env, { binding, key, upload_id, number, value }) =>
    env[binding].resumeMultipartUpload(key, upload_id).uploadPart(number, fromBase64(value)),
  "multipart.complete": async (env, { binding, key, upload_id, parts }) =>
    r2Object(await env[binding].resumeMultipartUpload(key, upload_id).complete(parts)),
  "multipart.abort": (env, { binding, key, upload_id }) => env[binding].resumeMultipartUpload(key, upload_id).abort(),
};

const prepared = (env, { binding, sql, params = [] }) => env[binding].prepare(sql).bind(...params.map((node) => build(node)));

const d1 = {
  query: (env, args) => prepared(env, args).all(),
  raw: async (env, args) => {
    const [columns, ...rows] = await prepared(env, args).raw({ columnNames: true });
    return { columns: columns ?? [], rows: rows.map((row) => row.map(describe)) };
  },
  exec: (env, { binding, sql }) => env[binding].exec(sql),
  batch: (env, { binding, statements }) => env[binding].batch(statements.map((one) => prepared(env, { binding, ...one }))),
};

const workflows = {
  create: async (env, { id, params }) => (await env.ORDERS.create({ id, params })).id,
  status: async (env, { id }) => (await env.ORDERS.get(id)).status(),
  act: async (env, { id, action }) => { await (await env.ORDERS.get(id))[action](); },
  send: async (env, { id, type, payload }) => (await env.ORDERS.get(id)).sendEvent({ type, payload }),
};

function namespaceOf(name, env, ctx) {
  return { Tenant: env.TENANT, Legacy: env.LEGACY, AppRunner: env.APP_RUNNER }[name] ?? ctx.exports[name];
}

const objects = {
  id: (env, { class: name, name: object }, ctx) => namespaceOf(name, env, ctx).idFromName(object).toString(),
  new_id: (env, { class: name }, ctx) => namespaceOf(name, env, ctx).newUniqueId().toString(),
};

async function room(env, { class: name, id, name: object, path = [], operation, args = {} }, ctx) {
  const namespace = namespaceOf(name, env, ctx);
  const stub = namespace.get(id ? namespace.idFromString(id) : namespace.idFromName(object));
  return await stub.serve(path, operation, args);
}

const queue = { send: (env, { body }) => env.QUEUE.send(body) };
const values = { names: () => Object.keys(catalogue), describe: (env, { value }) => describe(build(value)) };
const nouns = { kv, r2, d1, workflows, objects, queue, values };

async function answer(request, env, ctx) {
  const { operation, args = {} } = await request.json();
  if (operation === "room") return room(env, args, ctx);
  const dot = operation.indexOf(".");
  const run = nouns[operation.slice(0, dot)]?.[operation.slice(dot + 1)];
  if (!run) return { error: { name: "Usage", message: `no operation ${operation}` } };
  try {
    return { result: (await run(env, args, ctx)) ?? null };
  } catch (error) {
    return { error: { name: error.name, message: error.message } };
  }
}

export default {
  async fetch(request, env, ctx) {
    if (request.method !== "POST") return new Response("the oracle takes POST\n", { status: 405 });
    return Response.json(await answer(request, env, ctx));
  },
  async queue(batch, env) {
    for (const message of batch.messages) await env.OTHER.put(`queue/${message.id}`, JSON.stringify(message.body));
  },
};
