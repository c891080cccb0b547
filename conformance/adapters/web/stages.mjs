// @ts-check
/**
 * Pages for scenarios. The harness names clients `NUMBER.NAME`; all clients of one number are of one scenario, and share a page.
 *
 * | State of a page | Event | Next |
 * |---|---|---|
 * | idle | a request of a scenario that has no page | taken by that scenario |
 * | taken | its scenario's last client is closed, no request is under way | idle |
 * | taken | its scenario's last client is closed, a request is under way | closed |
 */

/**
 * @typedef {import("playwright-core").Browser} Browser
 * @typedef {import("playwright-core").Page} Page
 * @typedef {import("../javascript/host.mjs").Json} Json
 */

/** For requests that are of no client. */
const NOBODY = "";

export class Stages {
  #browser;
  #url;
  /** @type {Promise<Stage>[]} */
  #idle = [];
  /** @type {Map<string, Promise<Stage>>} */
  #taken = new Map();
  /** Where calls under way are, by id. @type {Map<number, Promise<Stage>>} */
  #calls = new Map();

  /**
   * @param {Browser} browser
   * @param {string} url
   */
  constructor(browser, url) {
    this.#browser = browser;
    this.#url = url;
  }

  /**
   * Opens so many pages before anybody asks: one that is being opened delays the requests of the others.
   *
   * @param {number} count
   */
  async prepare(count) {
    this.#idle = Array.from({ length: count }, () => Stage.open(this.#browser, this.#url));
    await Promise.all(this.#idle);
  }

  /**
   * @param {Json} request
   * @returns {Promise<Json>}
   */
  async answer(request) {
    const scenario = typeof request.client === "string" ? request.client.split(".", 1)[0] : NOBODY;
    const taken = (request.op === "cancel" && this.#calls.get(request.target)) || this.#take(scenario);
    this.#calls.set(request.id, taken);
    const stage = await taken;
    const answer = await stage.answer(request);
    this.#calls.delete(request.id);
    if (stage.isOver && this.#taken.get(scenario) === taken) {
      this.#taken.delete(scenario);
      if (stage.underWay === 0) {
        this.#idle.push(taken);
      } else {
        await stage.page.context().close();
      }
    }
    return answer;
  }

  /** @param {string} scenario */
  #take(scenario) {
    const stage = this.#taken.get(scenario) ?? this.#idle.pop() ?? Stage.open(this.#browser, this.#url);
    this.#taken.set(scenario, stage);
    return stage;
  }
}

/** A page with the adapter in it. */
class Stage {
  /** @type {Set<string>} */
  #clients = new Set();
  underWay = 0;
  /** Whether clients were opened, or were to be, and none is left. */
  isOver = false;

  /** @param {Page} page */
  constructor(page) {
    this.page = page;
  }

  /**
   * @param {Browser} browser
   * @param {string} url
   */
  static async open(browser, url) {
    const context = await browser.newContext();
    const page = await context.newPage();
    page.on("pageerror", (error) => console.error(error));
    page.on("console", (message) => {
      // The browser's own messages have no arguments, and show the URLs of all requests that fail.
      if (message.args().length > 0) {
        console.error(message.text());
      }
    });
    await page.goto(url);
    await page.waitForFunction("globalThis.answer");
    return new Stage(page);
  }

  /**
   * @param {Json} request
   * @returns {Promise<Json>}
   */
  async answer(request) {
    this.underWay += 1;
    try {
      const line = JSON.stringify(request);
      const answer = JSON.parse(await this.page.evaluate(`globalThis.answer(${JSON.stringify(line)})`));
      this.#note(request, answer);
      return answer;
    } catch (error) {
      // The page has crashed, or was closed under a call that nobody waits for.
      return { id: request.id, ok: false, error: { code: "page", message: String(error) } };
    } finally {
      this.underWay -= 1;
    }
  }

  /**
   * @param {Json} request
   * @param {Json} answer
   */
  #note(request, answer) {
    if (request.op === "client.open" && answer.ok) {
      this.#clients.add(request.client);
    } else if (request.op === "client.close") {
      this.#clients.delete(request.client);
    }
    this.isOver = request.op.startsWith("client.") && this.#clients.size === 0;
  }
}
