// The pages, in the order of the navigation. A page is one file in pages/ whose default export is a
// component: it gets `rest` (the parts of the path behind its name), `query` and `session`.

export const PAGES = [];
