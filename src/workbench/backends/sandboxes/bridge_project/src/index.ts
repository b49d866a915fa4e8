// The public sandbox bridge on this account, and in front of it what it lacks for a client that keeps many sandboxes: names, and a list.
//
// Everything below /v1/sandbox/<id>/... is answered by the bridge itself. SANDBOX_API_KEY is the token that clients show; without it
// nothing is answered, because the bridge would then let everybody in.
import { bridge } from "@cloudflare/sandbox/bridge";

import { type Env, unauthorized } from "./access";
import { listed } from "./registry";

export { Sandbox } from "@cloudflare/sandbox";
export { WarmPool } from "@cloudflare/sandbox/bridge";
export { Registry } from "./registry";

const inner = bridge({
  fetch: () => Response.json({ error: "there is nothing here", code: "not_found" }, { status: 404 }),
});

export default {
  async fetch(request, env, ctx): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname !== "/health") {
      const refused = await unauthorized(request, env);
      if (refused) return refused;
    }
    const registry = env.Registry.getByName("all");
    const one = /^\/v1\/sandbox\/([a-z2-7]{1,128})$/.exec(url.pathname)?.[1];
    if (url.pathname === "/v1/sandbox" && request.method === "GET") return listed(url, registry);
    if (url.pathname === "/v1/sandbox" && request.method === "POST") {
      const given: { name?: unknown } = await request.clone().json<{ name?: unknown }>().catch(() => ({}));
      const made = await inner.fetch!(request, env, ctx);
      if (!made.ok) return made;
      const { id } = await made.json<{ id: string }>();
      const name = typeof given?.name === "string" && given.name ? given.name.slice(0, 128) : id;
      const entry = await registry.add(id, name);
      return entry
        ? Response.json(entry)
        : Response.json({ error: `there is a sandbox ${JSON.stringify(name)} already`, code: "exists" }, { status: 409 });
    }
    if (one && request.method === "GET") {
      const found = await registry.find(one);
      return found
        ? Response.json(found)
        : Response.json({ error: `there is no sandbox ${one}`, code: "not_found" }, { status: 404 });
    }
    const answer = await inner.fetch!(request, env, ctx);
    if (one && request.method === "DELETE" && answer.ok) ctx.waitUntil(registry.remove(one));
    return answer;
  },

  async scheduled(controller, env, ctx): Promise<void> {
    await inner.scheduled!(controller, env, ctx);
  },
} satisfies ExportedHandler<Env>;
