// The sample's own Worker, with a front door that fills its state through its own bindings: POST /<part>.
import { seedObjects } from "./objects.js";
import { seedCache, seedKv } from "./kv.js";
import { seedR2 } from "./r2.js";
import { seedD1 } from "./d1.js";
import { seedWorkflows } from "./workflows.js";

// The emulator keeps the stack of a failed step; it would name the folder this runs in.
Error.stackTraceLimit = 0;

export { AppRunner, Auditor, BillingFlow, Cart, Pricing, Tenant } from "../src/index.js";

const parts = { kv: seedKv, r2: seedR2, d1: seedD1, objects: seedObjects, workflows: seedWorkflows, cache: seedCache };

export default {
  async fetch(request, env, ctx) {
    const part = new URL(request.url).pathname.slice(1);
    return Response.json(await parts[part](env, ctx, await request.json()));
  },
};
