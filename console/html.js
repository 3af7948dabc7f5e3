// What every file of the console writes markup with: components as the browser runs them. Values are
// text, always; nothing here makes markup of a string.
import htm from "htm";
import { h } from "preact";

export { render } from "preact";
export { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
export const html = htm.bind(h);
