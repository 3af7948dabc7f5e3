// The pages, in the order of the navigation. A page is one file in pages/ whose default export is a
// component: it gets `rest` (the parts of the path behind its name), `query`, `session`, and `look`,
// which asks anew who is signed in.

export const PAGES = [
  { name: "operators", title: "Operators", permission: "account.roles.get", load: () => import("./pages/operators.js") },
];

/** Pages that are reached otherwise: one's own sign-in, by one's name. */
export const OTHERS = [{ name: "me", title: "Your sign-in", load: () => import("./pages/me.js") }];
