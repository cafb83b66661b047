# The gem oauth2 at the sandbox: `ruby client.rb NAME URL...` writes one line of JSON for each sandbox.

require "digest"
require "json"
require "net/http"
require "oauth2"
require "securerandom"

CALLBACK = "http://localhost:7000/callback"
SCOPE = "read write v2"
VERSION = { "Version" => "2.0" }
LACKING = { "scope_missing" => { scope: "read" }, "user_missing" => { user_id: nil } }

def client_for(site, id, secret)
  OAuth2::Client.new(id, secret, site: site, authorize_url: "#{site}/oauth/authorize/", token_url: "#{site}/api/open/oauth/token")
end

def control(site, path, body, method = Net::HTTP::Post)
  uri = URI("#{site}/control/#{path}")
  request = method.new(uri, "Content-Type" => "application/json")
  response = Net::HTTP.start(uri.host, uri.port, nil) { |http| http.request(request, JSON.generate(body)) }
  raise response.body unless response.is_a?(Net::HTTPSuccess)

  JSON.parse(response.body)
end

def challenge(verifier)
  Digest::SHA256.base64digest(verifier).tr("+/", "-_").delete("=")
end

# What an application can tell its user of an error.
def reason(error)
  return "the message has the tokens" if error.message.include?('"refresh_token":')
  return error.message.lines.first.to_s.strip unless error.is_a?(OAuth2::Error)

  error.description || (error.code.is_a?(Hash) && error.code["detail"]) || error.message.lines.first.to_s.strip
end

# Take the client through everything that a setting may decide.
def outcomes(site)
  client = client_for(site, "demo-app", "demo-secret")
  result = {}
  step = lambda do |name, &action|
    value = action.call
    text = value.is_a?(Array) ? JSON.generate(value) : value.to_s
    result[name] = %w[expires_in scope].include?(name) ? text : "ok"
    value
  rescue StandardError => error
    result[name] = reason(error)
    nil
  end
  api = lambda do |token|
    name = token.get("#{site}/api/partner/users/me", headers: VERSION.dup).parsed.dig("data", "name")
    raise "API: #{name}" unless name == "Demo user"
  end
  approved = lambda do |state, verifier|
    url = client.auth_code.authorize_url(
      redirect_uri: CALLBACK, scope: SCOPE, state: state,
      code_challenge: challenge(verifier), code_challenge_method: "S256"
    )
    location = control(site, "consent", { url: url, decision: "approve" })["location"]
    answer = URI.decode_www_form(URI(location).query).to_h
    raise "state" unless answer["state"] == state

    answer["code"]
  end
  exchange = lambda do |code, verifier, from = client|
    from.auth_code.get_token(code, redirect_uri: CALLBACK, code_verifier: verifier)
  end

  state = SecureRandom.urlsafe_base64
  verifier = SecureRandom.urlsafe_base64(32)
  code = approved.call(state, verifier)
  token = step.call("sign_in") { exchange.call(code, verifier) }
  return result unless result["sign_in"] == "ok"

  step.call("expires_in") { token.expires_in }
  step.call("scope") { token["scope"] }
  step.call("api") { api.call(token) }
  newer = step.call("refresh") { token.refresh! }
  step.call("api_after_refresh") { api.call(newer) }
  result["findings"] = JSON.parse(Net::HTTP.get(URI("#{site}/control/lint"))).map { |it| it["rule"] }.join(" ")
  step.call("older_access_token") { api.call(token) }
  step.call("older_refresh_token") { token.refresh! }
  step.call("api_after_reuse") { api.call(newer) }

  another = approved.call(state, verifier)
  others = exchange.call(another, verifier)
  step.call("code_again") { exchange.call(another, verifier) }
  step.call("api_after_code_again") { api.call(others) }
  unproven = approved.call(state, verifier)
  step.call("wrong_verifier") { exchange.call(unproven, SecureRandom.urlsafe_base64(32)) }

  inactive = client_for(site, "inactive-app", "inactive-secret")
  code = control(site, "codes", { client_id: "inactive-app", redirect_uri: CALLBACK })["secret"]
  step.call("inactive_client") { exchange.call(code, verifier, inactive) }
  LACKING.each do |name, lacking|
    secret = control(site, "access-tokens", { client_id: "demo-app", **lacking })["secret"]
    step.call(name) { api.call(OAuth2::AccessToken.new(client, secret)) }
  end
  expired = exchange.call(approved.call(state, verifier), verifier)
  control(site, "clock/move", { seconds: 86_400 })
  step.call("expired_access_token") { api.call(expired) }
  control(site, "settings", { request_limit: { requests: 1 } }, Net::HTTP::Patch)
  begin
    api.call(expired)
  rescue OAuth2::Error
    nil # it is expired, and counts
  end
  step.call("too_many_requests") { expired.refresh! }
  result
end

ARGV.drop(1).each { |site| puts JSON.generate(outcomes(site)) }
