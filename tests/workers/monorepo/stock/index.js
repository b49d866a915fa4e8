export default {
  async fetch(request, env) {
    return Response.json({ items: (await env.ITEMS.list()).keys.map((key) => key.name) });
  },
};
