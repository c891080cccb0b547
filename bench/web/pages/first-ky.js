/** A page that makes one call with ky. */

import ky from "ky";
import { check, HEADERS, PATH, ready } from "./clients.js";

const client = ky.create({ prefixUrl: location.origin, headers: HEADERS });
check(await client.get(PATH.slice(1)).json());
ready();
