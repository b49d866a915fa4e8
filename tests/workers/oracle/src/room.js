// What any object or facet can do with its own storage. The same file is bundled into the Worker and, as room.txt,
// handed to the loader as an agent's code.
import { DurableObject } from "cloudflare:workers";
import { build, describe, catalogue } from "./values.js";

const described = (map) => [...map].map(([key, value]) => [key, describe(value)]);

const operations = {
  sql: ({ storage }, { sql, params = [] }) => {
    const cursor = storage.sql.exec(sql, ...params.map((node) => build(node)));
    const rows = [...cursor.raw()].map((row) => row.map(describe));
    return { columns: cursor.columnNames, rows, rows_read: cursor.rowsRead, rows_written: cursor.rowsWritten };
  },
  size: ({ storage }) => storage.sql.databaseSize,
  "kv.get": ({ storage }, { key }) => describe(storage.kv.get(key)),
  "kv.put": ({ storage }, { key, value }) => storage.kv.put(key, build(value)),
  "kv.delete": ({ storage }, { key }) => storage.kv.delete(key),
  "kv.list": ({ storage }, { options = {} }) => described(storage.kv.list(options)),
  "async.get": async ({ storage }, { key }) => describe(await storage.get(key)),
  "async.put": ({ storage }, { key, value }) => storage.put(key, build(value)),
  "async.delete": ({ storage }, { key }) => storage.delete(key),
  "async.list": async ({ storage }, { options = {} }) => described(await storage.list(options)),
  "put.catalogue": async ({ storage }, { names = Object.keys(catalogue) }) => {
    for (const name of names) await storage.put(name, catalogue[name]());
    return names;
  },
  "delete.all": ({ storage }) => storage.deleteAll(),
  "alarm.get": ({ storage }) => storage.getAlarm(),
  "alarm.set": ({ storage }, { at }) => storage.setAlarm(at),
  "alarm.delete": ({ storage }) => storage.deleteAlarm(),
  "facet.delete": ({ facets }, { name }) => facets.delete(name),
  "facet.abort": ({ facets }, { name, reason }) => facets.abort(name, new Error(reason ?? "aborted")),
  name: ({ id }) => ({ id: id.toString(), name: id.name ?? null }),
};

/** The answer of one operation on an object, or on the facet `path` leads to. */
export class Room extends DurableObject {
  async serve(path, operation, args) {
    try {
      if (path.length > 0) {
        const [name, ...rest] = path;
        const facet = this.ctx.facets.get(name, () => this.facetOptions(name));
        return await facet.serve(rest, operation, args);
      }
      return { result: (await operations[operation](this.ctx, args)) ?? null };
    } catch (error) {
      return { error: { name: error.name, message: error.message } };
    }
  }

  facetOptions() {
    return { class: this.ctx.exports.App };
  }

  async alarm(info) {
    this.ctx.storage.kv.put("alarms fired", (this.ctx.storage.kv.get("alarms fired") ?? 0) + 1);
  }
}

/** As a facet: code an agent could have written. */
export class App extends Room {}
