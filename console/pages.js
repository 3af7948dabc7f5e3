// The pages, in the order of the navigation. A page is one file in pages/ whose default export is a
// component: it gets `rest` (the parts of the path behind its name), `query`, `session`, and `look`,
// which asks anew who is signed in.

export const PAGES = [
  { name: "launch", title: "Launch", permission: "queue.dials.get", load: () => import("./pages/launch.js") },
  { name: "accounts", title: "Accounts", permission: "account.accounts.get", load: () => import("./pages/accounts.js") },
  { name: "servers", title: "Game servers", permission: "game_management.shards.get", load: () => import("./pages/servers.js") },
  { name: "status", title: "Status", permission: "server.status.get", load: () => import("./pages/status.js") },
  { name: "audit", title: "Audit", permission: "audit.records.get", load: () => import("./pages/audit.js") },
  { name: "settings", title: "Settings", permission: "server.settings.get", load: () => import("./pages/settings.js") },
  { name: "operators", title: "Operators", permission: "account.roles.get", load: () => import("./pages/operators.js") },
];

/** Pages that are reached otherwise: one's own sign-in, by one's name. */
export const OTHERS = [{ name: "me", title: "Your sign-in", load: () => import("./pages/me.js") }];
