// @ts-check
/** The adapter within a page: `chromium.mjs` hands it lines. */

import * as sdk from "gatewright-web";
import * as webhooks from "gatewright-web/webhooks";

import { adapterInBrowser } from "./in-browser.mjs";

Object.assign(globalThis, { answer: adapterInBrowser(sdk, webhooks) });
