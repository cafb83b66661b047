/** Reads the name of the signed-in user from the partner API. */
import { randomUUID } from "node:crypto";

export class Adverts {
  constructor(site, client, redirectUri) {
    Object.assign(this, { site, client, redirectUri });
  }

  authorizationUrl() {
    this.state = randomUUID();
    const query = new URLSearchParams({
      client_id: this.client.id,
      response_type: "code",
      redirect_uri: this.redirectUri,
      scope: "read write v2",
      state: this.state,
    });
    return `${this.site}/oauth/authorize/?${query}`;
  }

  async callback(url) {
    const answer = new URL(url).searchParams;
    if (answer.get("state") !== this.state || !answer.has("code")) {
      throw new Error(answer.get("error") ?? "The state does not match.");
    }
    await this.#ask({
      grant_type: "authorization_code",
      code: answer.get("code"),
      redirect_uri: this.redirectUri,
    });
  }

  async userName() {
    let response = await this.#me();
    if (response.status === 401) {
      await this.#ask({ grant_type: "refresh_token", refresh_token: this.tokens.refresh_token });
      response = await this.#me();
    }
    if (!response.ok) throw new Error(`The API responded ${response.status}.`);
    return (await response.json()).data.name;
  }

  async #ask(grant) {
    const response = await fetch(`${this.site}/api/open/oauth/token`, {
      method: "POST",
      body: new URLSearchParams({ client_id: this.client.id, client_secret: this.client.secret, ...grant }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error_description);
    this.tokens = answer;
  }

  #me() {
    const headers = { Authorization: `Bearer ${this.tokens.access_token}`, Version: "2.0" };
    return fetch(`${this.site}/api/partner/users/me`, { headers });
  }
}
