import { WorkflowEntrypoint } from "cloudflare:workers";

export class Packing extends WorkflowEntrypoint {
  async run(event, step) {
    await step.do("take", async () => event.payload);
    const label = await step.waitForEvent("label", { type: "label", timeout: "1 hour" });
    return label.payload;
  }
}

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    console.log("asked for", pathname);
    if (pathname === "/boom") throw new Error("boom goes the Worker");
    if (pathname === "/stock") return env.STOCK.fetch(request);
    if (pathname === "/moved") return Response.redirect("http://localhost/elsewhere", 302);
    if (pathname === "/bytes") return new Response(new Uint8Array([0, 255, 254]));
    await env.CACHE.put("last", pathname);
    const headers = Object.fromEntries(request.headers);
    return Response.json({ method: request.method, headers, body: await request.text() }, { status: 201 });
  },
  async scheduled(event, env) {
    console.warn("cron", event.cron);
    await env.CACHE.put("cron", `${event.cron} ${event.scheduledTime}`);
  },
  async email(message, env) {
    await env.CACHE.put("mail", `${message.from} ${message.to} ${message.headers.get("subject")}`);
    if (message.to.startsWith("nobody@")) message.setReject("no such person");
  },
};
