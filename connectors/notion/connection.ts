import type { Client } from '@notionhq/client';
import { call } from './errors.ts';

/** Who the token makes us at Notion: pages and blocks say by whom they were made. */
export class Connection {
  readonly #client: Client;
  #id: string | undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * The id of the connection's own user; asked once.
   * @throws Ended
   */
  async id(): Promise<string> {
    this.#id ??= (await call('read', () => this.#client.users.me({}))).id;
    return this.#id;
  }

  /**
   * Who wrote what the relay wrote into a page: this connection, and the one that made the page, should the token have
   * been changed for another's since.
   * @throws Ended
   */
  async authorsOf(page: { creator: string | undefined }): Promise<ReadonlySet<string>> {
    const own = await this.id();
    return new Set(page.creator === undefined ? [own] : [own, page.creator]);
  }
}
