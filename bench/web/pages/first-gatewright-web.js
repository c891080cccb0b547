/** A page that makes one call with gatewright-web. */

import { Client } from "gatewright-web";
import { check, KEY, PATH, ready } from "./clients.js";

const client = new Client(location.origin, { auth: KEY });
check(await (await client.get(PATH)).json());
ready();
