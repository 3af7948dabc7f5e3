// The console's shell: who is signed in, which page is shown, the theme.
import { attach, get, remove } from "./api.js";
import { html, render, useEffect, useState } from "./html.js";
import { OTHERS, PAGES } from "./pages.js";
import { Dialogues, Empty, Failed, Loading, may } from "./parts.js";

// For tests in a browser.
export { html, render } from "./html.js";
export { Plot, withGaps } from "./plot.js";

// Back from a provider: to where they were.
const back = sessionStorage.getItem("anteroom.back");
if (back !== null) {
  sessionStorage.removeItem("anteroom.back");
  if (!location.hash) history.replaceState(null, "", back || "#/");
}

/** `#/accounts/1?tab=bans` → the name of the page, what follows it, and the query. */
function route() {
  const [path, values] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/").map(decodeURIComponent);
  return { name, rest, query: new URLSearchParams(values) };
}

function useRoute() {
  const [at, setAt] = useState(route);
  useEffect(() => {
    const moved = () => setAt(route());
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  return at;
}

const THEMES = { "": "Auto", light: "Light", dark: "Dark" };

function Theme() {
  const [theme, setTheme] = useState(localStorage.getItem("anteroom.theme") ?? "");
  const choose = (event) => {
    const { value } = event.target;
    setTheme(value);
    if (value) localStorage.setItem("anteroom.theme", value);
    else localStorage.removeItem("anteroom.theme");
    if (value) document.documentElement.dataset.theme = value;
    else delete document.documentElement.dataset.theme;
  };
  return html`<select class="theme" aria-label="Theme" value=${theme} onChange=${choose}>
    ${Object.entries(THEMES).map(([value, name]) => html`<option value=${value}>${name}</option>`)}
  </select>`;
}

function Bar({ session, at, pages, leave }) {
  // On a phone the pages are wider than the screen.
  const show = () => document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  useEffect(show, [at.name, pages.length]);
  return html`<header>
    <a class="brand" href="#/"><img src="console/icon.svg" alt="" width="22" height="22" /><span>Anteroom</span></a>
    <nav aria-label="Pages">
      ${pages.map(
        ({ name, title }) => html`<a href=${`#/${name}`} aria-current=${at.name === name ? "page" : undefined}>${title}</a>`,
      )}
    </nav>
    <div class="who">
      ${session?.is_dev && html`<strong class="tag warn" title="Started with --dev: not for players">dev</strong>`}
      ${session && html`<a class="name" href="#/me" title=${`${session.name}: ${session.roles.map((role) => role.name).join(", ")}`}>${session.name}</a>`}
      <${Theme} />
      ${session && html`<button type="button" class="quiet" onClick=${leave}>Sign out</button>`}
    </div>
  </header>`;
}

/** One page, loaded when it is first seen. */
function Page({ page, at, session, look }) {
  const [state, setState] = useState({});
  useEffect(() => {
    let gone = false;
    const put = (value) => gone || setState({ page, ...value });
    page.load().then(
      (module) => put({ Component: module.default }),
      () => put({ error: new Error("This page could not be loaded. Is the server running?") }),
    );
    return () => {
      gone = true;
    };
  }, [page]);
  useEffect(() => {
    document.title = `${page.title} · Anteroom`;
    // The page is read from its start; a field that asks for the focus gets it.
    if (state.page === page) (document.querySelector("main [autofocus]") ?? document.querySelector("main"))?.focus();
  }, [page, state.page]);
  if (state.page !== page) return html`<${Loading} />`;
  if (state.error) return html`<${Failed} error=${state.error} retry=${() => location.reload()} />`;
  return html`<${state.Component} rest=${at.rest} query=${at.query} session=${session} look=${look} />`;
}

const SIGN_IN = { name: "sign-in", title: "Sign in", load: () => import("./pages/sign-in.js") };

function App() {
  const at = useRoute();
  const [state, setState] = useState({});
  const look = (justSignedIn = false) =>
    get("/session").then(
      (session) => setState({ session }),
      (error) => {
        if (error.why !== "token") return setState({ error });
        return setState({ out: { ...error.told, isForgotten: justSignedIn === true } });
      },
    );
  useEffect(() => {
    const signedOut = (error) => setState((was) => ({ out: { ...error.told, ...was.out } }));
    const stepUp = async () => (await import("./pages/step-up.js")).default();
    attach({ signedOut, stepUp });
    look();
  }, []);
  const leave = async () => {
    try {
      await remove("/session");
      await look();
    } catch (error) {
      setState({ error });
    }
  };
  const { session, out, error } = state;
  const attempt = (session ?? out)?.attempt;
  const said = at.query.has("again") ? "That sign-in was not begun in this browser, or too long ago. Begin again." : back !== null && attempt?.why !== "totp" && attempt?.message;
  const pages = session ? PAGES.filter(({ permission }) => !permission || may(session, permission)) : [];
  // Where the setup code and invitations lead is of no use to who is signed in.
  const first = ["", "setup", SIGN_IN.name].includes(at.name);
  const page = out ? SIGN_IN : [...pages, ...OTHERS].find(({ name }) => name === at.name) ?? (first ? pages[0] ?? OTHERS[0] : undefined);
  const show = () => {
    if (error) return html`<${Failed} error=${error} retry=${look} />`;
    if (!session && !out) return html`<${Loading} />`;
    if (page) return html`<${Page} page=${page} at=${at} session=${session ?? out} look=${look} />`;
    return html`<${Empty}>Nothing is here, or your roles do not let you see it.<//>`;
  };
  return html`
    <a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); document.querySelector("main").focus(); }}>Skip to the page</a>
    <${Bar} session=${session} at=${{ ...at, name: page?.name }} pages=${pages} leave=${leave} />
    ${session?.needs_totp && page?.name !== "me" && html`<p class="banner" role="status">Until you have an authenticator you can only look. <a href="#/me">Set it up</a></p>`}
    ${said && html`<p class="banner bad" role="alert">${said}</p>`}
    <main id="main" tabindex="-1" class=${page?.name}>${show()}</main>
    <${Dialogues} />`;
}

render(html`<${App} />`, document.getElementById("app"));
