import { WorkerEntrypoint } from "cloudflare:workers";

export { AppRunner } from "./app-runner.js";
export { Auditor, Cart, Tenant } from "./objects.js";
export { BillingFlow } from "./billing-flow.js";

/** Prices with tax; the Worker calls it through its own service binding. */
export class Pricing extends WorkerEntrypoint {
  quote(cents) {
    return { net: cents, vat: Math.round(cents * this.env.VAT_RATE), currency: this.env.CURRENCY };
  }
}

const named = (namespace, name) => namespace.get(namespace.idFromName(name));

async function product(env, id) {
  const found = await env.DB.prepare("SELECT id, sku, name, price_cents FROM products WHERE id = ?").bind(id).first();
  return found && { ...found, price: await env.PRICING.quote(found.price_cents) };
}

async function customerOrders(env, id) {
  const { results } = await env.DB.prepare(
    "SELECT id, status, total, vat, placed_at FROM orders WHERE customer_id = ? ORDER BY id",
  ).bind(id).all();
  return results;
}

async function file(env, key) {
  const object = await env.FILES.get(key);
  if (!object) return null;
  const headers = new Headers({ etag: object.httpEtag });
  object.writeHttpMetadata(headers);
  return new Response(object.body, { headers });
}

/** The part of the path after the first one answers what the first one names. */
const routes = {
  products: (env, [id]) => product(env, id),
  customers: (env, [id]) => customerOrders(env, id),
  cache: async (env, key) => {
    const value = await env.CACHE.get(key.join("/"), "arrayBuffer");
    return value && new Response(value);
  },
  files: (env, key) => file(env, key.join("/")),
  tenants: (env, [name, key]) => named(env.TENANT, name).recall(key),
  carts: (env, [name]) => named(env.CARTS, name).items(),
  apps: (env, [name, ...path]) => named(env.APP_RUNNER, name).call(path.slice(0, -1), path.at(-1)),
  bills: async (env, [id]) => (await env.BILLING.get(id)).status(),
};

function asJson(key, value) {
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Map || value instanceof Set) return [...value];
  return value;
}

export default {
  async fetch(request, env) {
    const [first, ...rest] = new URL(request.url).pathname.slice(1).split("/").map(decodeURIComponent);
    const answer = Object.hasOwn(routes, first) ? await routes[first](env, rest) : null;
    if (answer instanceof Response) return answer;
    if (answer === null || answer === undefined) return new Response("not found\n", { status: 404 });
    return new Response(JSON.stringify(answer, asJson), { headers: { "content-type": "application/json" } });
  },

  async queue(batch, env) {
    for (const message of batch.messages) {
      await env.CACHE.put(`queue/${message.body.order}`, JSON.stringify(message.body));
    }
  },

  async scheduled(event, env, ctx) {
    const auditor = ctx.exports.Auditor;
    await named(auditor, "nightly").note("scheduled", event.cron);
  },
};
