// Written by the agent. It knows its own storage and nothing else.
import { DurableObject } from "cloudflare:workers";

export class App extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, body TEXT NOT NULL, at TEXT NOT NULL)");
  }

  hit() {
    const counter = this.counter() + 1;
    this.ctx.storage.kv.put("counter", counter);
    return counter;
  }

  counter() {
    return this.ctx.storage.kv.get("counter") ?? 0;
  }

  add(body) {
    const at = new Date().toISOString();
    this.ctx.storage.sql.exec("INSERT INTO entries (body, at) VALUES (?, ?)", body, at);
    const state = this.ctx.storage.kv.get("state") ?? { n: 0, when: new Date(0), tags: new Set(), m: new Map([["k", 1n]]) };
    state.n += 1;
    state.tags.add(body.split(" ")[0]);
    this.ctx.storage.kv.put("state", state);
  }

  entries() {
    return this.ctx.storage.sql.exec("SELECT * FROM entries").toArray();
  }

  /** Passes a call on to a facet of this facet. */
  relay([name, ...inner], method, args) {
    const facet = this.ctx.facets.get(name, () => ({ class: this.ctx.exports.Ledger }));
    return inner.length > 0 ? facet.relay(inner, method, args) : facet[method](...args);
  }
}

export class Ledger extends DurableObject {
  read() {
    return this.ctx.storage.kv.get("big") ?? 0n;
  }

  write(value) {
    this.ctx.storage.kv.put("big", value);
  }
}

export class Billing extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS invoices (number TEXT PRIMARY KEY, cents INTEGER NOT NULL, paid_at TEXT)");
  }

  bill(number, cents, paidAt) {
    this.ctx.storage.sql.exec("INSERT INTO invoices VALUES (?, ?, ?)", number, cents, paidAt);
  }

  invoices() {
    return this.ctx.storage.sql.exec("SELECT * FROM invoices").toArray();
  }
}

export class Scratch extends DurableObject {
  keep(value) {
    this.ctx.storage.kv.put("scratch", value);
  }
}
