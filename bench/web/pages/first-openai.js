/** A page that makes one call with openai. */

import OpenAI from "openai";
import { check, KEY, PATH, ready } from "./clients.js";

const client = new OpenAI({ apiKey: KEY, baseURL: location.origin, dangerouslyAllowBrowser: true });
check(await client.get(PATH));
ready();
