import { DurableObject } from "cloudflare:workers";

const CLASSES = { billing: "Billing", temp: "Scratch" };

/**
 * Keeps an agent's code and runs it. The code lives in facets: it has storage of its own, and can reach neither
 * this object's storage nor the network.
 */
export class AppRunner extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS audit (id INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, detail TEXT)",
    );
  }

  async install(code, actor) {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code));
    const codeId = new Uint8Array(digest).toHex().slice(0, 16);
    this.ctx.storage.kv.put("code", code);
    this.ctx.storage.kv.put("codeId", codeId);
    this.note(actor, "install", codeId);
    return codeId;
  }

  /** Calls a method of the facet `path` leads to. */
  async call(path, method, ...args) {
    const [name, ...inner] = path;
    const facet = this.ctx.facets.get(name, () => ({ class: this.agentClass(CLASSES[name] ?? "App") }));
    return inner.length > 0 ? await facet.relay(inner, method, args) : await facet[method](...args);
  }

  agentClass(name) {
    const code = this.ctx.storage.kv.get("code");
    const worker = this.env.LOADER.get(this.ctx.storage.kv.get("codeId"), () => ({
      compatibilityDate: "2026-11-01",
      mainModule: "app.js",
      modules: { "app.js": code },
      globalOutbound: null,
    }));
    return worker.getDurableObjectClass(name);
  }

  retire(name, actor) {
    this.ctx.facets.delete(name);
    this.note(actor, "retire", name);
  }

  note(actor, action, detail) {
    const at = new Date().toISOString();
    this.ctx.storage.sql.exec("INSERT INTO audit (at, actor, action, detail) VALUES (?, ?, ?, ?)", at, actor, action, detail);
  }

  remindAt(time) {
    return this.ctx.storage.setAlarm(time);
  }

  alarm() {
    this.note("alarm", "review", this.ctx.storage.kv.get("codeId"));
  }
}
