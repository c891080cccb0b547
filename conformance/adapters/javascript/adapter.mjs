// @ts-check
/**
 * The conformance adapter of the JavaScript packages, without the lines: takes requests of conformance/PROTOCOL.md, carries them
 * out with the SDK of its host, and answers. Runs in Node and in a page alike.
 */

import { CAPABILITIES, Unsupported } from "./host.mjs";
import { login } from "./login.mjs";
import { clientOptions } from "./options.mjs";
import { bodyOf, failed, head, Received } from "./outcome.mjs";
import { callOptions, eventOptions, explanation, lineOptions, pageOptions, supposed } from "./request.mjs";
import { download, upload } from "./transfers.mjs";
import { webhook } from "./webhooks.mjs";

/**
 * @typedef {import("./host.mjs").Host} Host
 * @typedef {import("./host.mjs").Json} Json
 * @typedef {import("./options.mjs").Counts} Counts
 * @typedef {import("../../../bindings-node/types/shared.js").Client} Client
 */

export class Adapter {
  #host;
  /** @type {Map<string, { client: Client, counts: Counts }>} */
  #clients = new Map();
  /** @type {Map<number, AbortController>} */
  #underWay = new Map();

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
  }

  /**
   * The answer to a request; never rejects.
   *
   * @param {Json} request
   * @returns {Promise<Json>}
   */
  async answer(request) {
    const abort = new AbortController();
    this.#underWay.set(request.id, abort);
    try {
      return { ...(await this.#carryOut(request, abort.signal)), id: request.id };
    } catch (error) {
      const answer = error instanceof Unsupported ? { unsupported: error.message } : this.#failed(error, abort.signal);
      return { ...answer, id: request.id };
    } finally {
      this.#underWay.delete(request.id);
    }
  }

  /**
   * @param {Json} request
   * @param {AbortSignal} signal
   * @returns {Json | Promise<Json>}
   */
  #carryOut(request, signal) {
    switch (request.op) {
      case "hello": {
        const { name, lacks } = this.#host;
        return {
          protocol: 1,
          sdk: name,
          capabilities: CAPABILITIES.filter((capability) => !(capability in lacks)),
          lacks,
        };
      }
      case "client.open":
        return this.#open(request);
      case "client.clear_cache":
        this.#client(request).client.clearCache();
        return { ok: true };
      case "client.shut":
        this.#client(request).client.close();
        return { ok: true };
      case "client.close": {
        const { client, counts } = this.#client(request);
        this.#clients.delete(request.client);
        client.close();
        const { tokens, ...hooks } = counts;
        return { ok: true, tokens_fetched: tokens, hooks_called: hooks };
      }
      case "call":
        return this.#call(this.#client(request).client, request.request, signal);
      case "cancel":
        // It may just have ended by itself.
        this.#underWay.get(request.target)?.abort();
        return { ok: true };
      case "webhook.sign":
      case "webhook.verify":
        return webhook(request, this.#host);
      default:
        throw new Unsupported(`the operation ${request.op}`);
    }
  }

  /** @param {Json} request */
  #client(request) {
    const opened = this.#clients.get(request.client);
    if (opened === undefined) {
      throw new Unsupported(`the client ${request.client}, which is not open`);
    }
    return opened;
  }

  /**
   * @param {Json} request
   * @returns {Promise<Json>}
   */
  async #open(request) {
    const counts = { tokens: 0, before: 0, after: 0 };
    const settings = { ...this.#host.settings, ...(await clientOptions(request.options, counts)) };
    const client = new this.#host.sdk.Client(request.options.base_url, settings);
    this.#clients.set(request.client, { client, counts });
    return { ok: true, shown: this.#host.show(client) };
  }

  /**
   * @param {Client} client
   * @param {Json} request
   * @param {AbortSignal} signal
   * @returns {Promise<Json>}
   */
  async #call(client, request, signal) {
    switch (request.mode ?? "whole") {
      case "whole": {
        const response = await client.request(request.method, request.path, callOptions(request, signal));
        return { ...head(response), body: await bodyOf(await response.bytes()) };
      }
      case "explain":
        return { ok: true, explained: explanation(client.explain(supposed(request))) };
      case "stream":
        return this.#stream(client, request, signal);
      case "pages":
        return this.#pages(client, request, signal);
      case "events":
        return this.#events(client, request, signal);
      case "json_lines":
        return this.#lines(client, request, signal);
      case "download":
        return download(client, request, signal, (error) => this.#failed(error, signal));
      case "upload":
        return upload(client, request, signal);
      case "login":
        return login(client, request, signal);
      default:
        throw new Unsupported(`the mode ${request.mode}`);
    }
  }

  /**
   * @param {Client} client
   * @param {Json} request
   * @param {AbortSignal} signal
   * @returns {Promise<Json>}
   */
  async #stream(client, request, signal) {
    const response = await client.stream(request.method, request.path, callOptions(request, signal));
    const answer = head(response);
    const received = new Received();
    try {
      for await (const chunk of response) {
        received.take(chunk);
        if (received.length >= (request.stop_after_bytes ?? Number.POSITIVE_INFINITY)) {
          break;
        }
      }
    } catch (error) {
      return { ...this.#failed(error, signal), delivered: await received.shown() };
    }
    return { ...answer, body: await received.shown() };
  }

  /**
   * @param {Client} client
   * @param {Json} request
   * @param {AbortSignal} signal
   * @returns {Promise<Json>}
   */
  async #pages(client, request, signal) {
    /** @type {number[]} */
    const pages = [];
    /** @type {unknown[]} */
    const items = [];
    /** @type {Json} */
    let answer = { ok: true };
    try {
      for await (const page of client.pages(request.path, pageOptions(request, signal))) {
        pages.push(page.items.length);
        items.push(...page.items);
        if (pages.length >= (request.max_pages ?? 100)) {
          break;
        }
      }
    } catch (error) {
      answer = this.#failed(error, signal);
    }
    return { ...answer, pages, items };
  }

  /**
   * @param {Client} client
   * @param {Json} request
   * @param {AbortSignal} signal
   * @returns {Promise<Json>}
   */
  async #events(client, request, signal) {
    /** @type {Json[]} */
    const events = [];
    /** @type {Json} */
    let answer = { ok: true };
    try {
      for await (const { event, data, id } of client.events(request.path, eventOptions(request, signal))) {
        events.push({ event, data, id });
        if (events.length >= (request.max_events ?? 100)) {
          break;
        }
      }
    } catch (error) {
      answer = this.#failed(error, signal);
    }
    return { ...answer, events };
  }

  /**
   * @param {Client} client
   * @param {Json} request
   * @param {AbortSignal} signal
   * @returns {Promise<Json>}
   */
  async #lines(client, request, signal) {
    /** @type {unknown[]} */
    const values = [];
    /** @type {Json} */
    let answer = { ok: true };
    try {
      for await (const value of client.jsonLines(request.path, lineOptions(request, signal))) {
        values.push(value);
        if (values.length >= (request.max_values ?? 100)) {
          break;
        }
      }
    } catch (error) {
      answer = this.#failed(error, signal);
    }
    return { ...answer, values };
  }

  /**
   * @param {unknown} error
   * @param {AbortSignal} signal
   * @returns {Json}
   */
  #failed(error, signal) {
    if (signal.aborted && error === signal.reason) {
      return { ok: false, cancelled: true };
    }
    if (error instanceof Unsupported) {
      throw error;
    }
    return failed(error, this.#host);
  }
}
