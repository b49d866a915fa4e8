// Which sandboxes there are, by name: one object with a table of its own. The bridge itself keeps no list.
import { DurableObject } from "cloudflare:workers";

import type { Env } from "./access";

export interface Entry extends Record<string, SqlStorageValue> {
  id: string;
  name: string;
  created: string;
  state: string;
}

export class Registry extends DurableObject<Env> {
  private readonly sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.sql = ctx.storage.sql;
    this.sql.exec("create table if not exists sandbox (id text primary key, name text not null unique, created text not null)");
  }

  // null where there is one of that name already.
  add(id: string, name: string): Entry | null {
    if (this.sql.exec("select 1 from sandbox where name = ?", name).toArray().length) return null;
    const created = new Date().toISOString();
    this.sql.exec("insert into sandbox (id, name, created) values (?, ?, ?)", id, name, created);
    return { id, name, created, state: "unknown" };
  }

  find(idOrName: string): Entry | null {
    const rows = this.sql.exec<Entry>(
      "select id, name, created, 'unknown' as state from sandbox where id = ?1 or name = ?1 order by id = ?1 desc limit 1",
      idOrName,
    );
    return rows.toArray()[0] ?? null;
  }

  page(after: string, limit: number): { sandboxes: Entry[]; cursor: string | null } {
    const rows = this.sql
      .exec<Entry>(
        "select id, name, created, 'unknown' as state from sandbox where name > ? order by name limit ?",
        after,
        limit + 1,
      )
      .toArray();
    const sandboxes = rows.slice(0, limit);
    return { sandboxes, cursor: rows.length > limit ? sandboxes[limit - 1].name : null };
  }

  remove(id: string): void {
    this.sql.exec("delete from sandbox where id = ?", id);
  }
}

// GET /v1/sandbox: `?name=` the one of that name or id, else a page by name (`?limit=&cursor=`).
export async function listed(url: URL, registry: DurableObjectStub<Registry>): Promise<Response> {
  const name = url.searchParams.get("name");
  if (name !== null) {
    const found = await registry.find(name);
    return Response.json({ sandboxes: found ? [found] : [], cursor: null });
  }
  const limit = Number(url.searchParams.get("limit") ?? "100");
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
    return Response.json({ error: "limit must be a whole number from 1 to 1000", code: "invalid_request" }, { status: 400 });
  }
  return Response.json(await registry.page(url.searchParams.get("cursor") ?? "", limit));
}
