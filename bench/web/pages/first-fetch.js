/** A page that makes one call with fetch. */

import { check, HEADERS, PATH, ready } from "./clients.js";

check(await (await fetch(PATH, { headers: HEADERS })).json());
ready();
