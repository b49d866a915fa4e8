// Who may use this bridge: whoever shows the token.
import type { Sandbox } from "@cloudflare/sandbox";
import type { BridgeEnv, WarmPool } from "@cloudflare/sandbox/bridge";

import type { Registry } from "./registry";

export interface Env extends BridgeEnv {
  Sandbox: DurableObjectNamespace<Sandbox>;
  WarmPool: DurableObjectNamespace<WarmPool>;
  Registry: DurableObjectNamespace<Registry>;
  /** A secret: `wrangler secret put SANDBOX_API_KEY`. */
  SANDBOX_API_KEY?: string;
}

// What to answer somebody who may not, or null.
export async function unauthorized(request: Request, env: Env): Promise<Response | null> {
  if (!env.SANDBOX_API_KEY) {
    return Response.json({ error: "SANDBOX_API_KEY is not set: wrangler secret put SANDBOX_API_KEY", code: "no_token" }, { status: 503 });
  }
  const header = request.headers.get("Authorization") ?? "";
  const query = new URL(request.url).pathname.startsWith("/v1/openapi") ? new URL(request.url).searchParams.get("token") : null;
  const shown = /^bearer /i.test(header) ? header.slice(7) : (query ?? "");
  // Compared by their digests: equal in length, and in equal time.
  const digest = (text: string) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const [ours, theirs] = await Promise.all([digest(env.SANDBOX_API_KEY), digest(shown)]);
  return crypto.subtle.timingSafeEqual(ours, theirs)
    ? null
    : Response.json({ error: "Unauthorized", code: "unauthorized" }, { status: 401 });
}
