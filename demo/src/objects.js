import { DurableObject } from "cloudflare:workers";

/** A customer of the shop's own platform: members in SQL, everything else as entries. */
export class Tenant extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS members (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, role TEXT NOT NULL DEFAULT 'reader', avatar BLOB)",
    );
  }

  addMember(email, role, avatar = null) {
    this.ctx.storage.sql.exec("INSERT INTO members (email, role, avatar) VALUES (?, ?, ?)", email, role, avatar);
  }

  members() {
    return this.ctx.storage.sql.exec("SELECT id, email, role FROM members").toArray();
  }

  remember(key, value) {
    this.ctx.storage.kv.put(key, value);
  }

  recall(key) {
    return this.ctx.storage.kv.get(key);
  }

  renewAt(time) {
    return this.ctx.storage.setAlarm(time);
  }

  alarm() {
    this.ctx.storage.kv.put("renewed", new Date());
  }
}

/** From before SQLite: only the asynchronous key-value storage. */
export class Cart extends DurableObject {
  async add(sku, quantity) {
    const line = (await this.ctx.storage.get(`line:${sku}`)) ?? { sku, quantity: 0, added: new Date() };
    line.quantity += quantity;
    await this.ctx.storage.put(`line:${sku}`, line);
  }

  async items() {
    return [...(await this.ctx.storage.list({ prefix: "line:" })).values()];
  }
}

/** Has no binding. */
export class Auditor extends DurableObject {
  note(kind, detail) {
    const { sql } = this.ctx.storage;
    sql.exec("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, at TEXT, kind TEXT, detail TEXT)");
    sql.exec("INSERT INTO notes (at, kind, detail) VALUES (?, ?, ?)", new Date().toISOString(), kind, detail);
  }
}
