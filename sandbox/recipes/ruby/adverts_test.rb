require "json"
require "minitest/autorun"
require "net/http"
require_relative "adverts"

# The sandbox of a service, or one that is started for this file.
SERVER = ENV.fetch("OAUTH_SANDBOX_URL") do
  program = IO.popen(["oauth-sandbox", "--port", "0"])
  Minitest.after_run do
    Process.kill("TERM", program.pid)
    program.close
  end
  program.gets.strip.delete_prefix("Sandbox ready at ")
end

class AdvertsTest < Minitest::Test
  def setup
    @site = SERVER
    # One of its own for each test, so that they share nothing.
    @site = control(:post, "sandboxes")["url"]
    @adverts = Adverts.new(@site, "demo-app", "demo-secret", "http://localhost:7000/callback")
  end

  def control(method, path, body = nil)
    uri = URI("#{@site}/control/#{path}")
    headers = { "Content-Type" => "application/json", "Authorization" => "Bearer #{ENV["OAUTH_SANDBOX_TOKEN"]}" }
    request = Net::HTTP.const_get(method.capitalize).new(uri, headers)
    request.body = JSON.generate(body) if body
    response = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == "https") { |http| http.request(request) }
    assert_kind_of Net::HTTPSuccess, response, response.body
    JSON.parse(response.body) if response.body
  end

  def sign_in
    @adverts.callback(control(:post, "consent", { url: @adverts.authorization_url, decision: "approve" })["location"])
  end

  def test_sign_in_and_read_the_name
    sign_in
    assert_equal "Demo user", @adverts.user_name
    assert_empty control(:get, "lint")
  end

  def test_refused_consent_is_an_error
    location = control(:post, "consent", { url: @adverts.authorization_url, decision: "deny" })["location"]
    assert_match(/access_denied/, assert_raises(ArgumentError) { @adverts.callback(location) }.message)
  end

  def test_expired_token_is_refreshed
    sign_in
    control(:post, "clock/move", { seconds: 86_400 })
    assert_equal "Demo user", @adverts.user_name
  end

  def test_expired_refresh_token_requires_a_new_sign_in
    sign_in
    control(:post, "clock/move", { seconds: 2_592_000 })
    assert_match(/Invalid refresh token/, assert_raises(OAuth2::Error) { @adverts.user_name }.message)
  end

  def test_server_error_is_reported_and_passes
    sign_in
    control(:post, "faults", { fault: "server-error", endpoint: "user" })
    assert_equal 503, assert_raises(OAuth2::Error) { @adverts.user_name }.response.status
    assert_equal "Demo user", @adverts.user_name
  end
end
