require "oauth2"
require "securerandom"

# Reads the name of the signed-in user from the partner API.
class Adverts
  def initialize(site, client_id, client_secret, redirect_uri)
    @site = site
    @redirect_uri = redirect_uri
    @client = OAuth2::Client.new(
      client_id, client_secret,
      site: site, authorize_url: "#{site}/oauth/authorize/", token_url: "#{site}/api/open/oauth/token"
    )
  end

  def authorization_url
    @state = SecureRandom.urlsafe_base64
    @client.auth_code.authorize_url(redirect_uri: @redirect_uri, scope: "read write v2", state: @state)
  end

  def callback(url)
    answer = URI.decode_www_form(URI(url).query).to_h
    raise ArgumentError, answer.fetch("error", "The state does not match.") unless answer["state"] == @state && answer["code"]

    @token = @client.auth_code.get_token(answer["code"], redirect_uri: @redirect_uri)
  end

  def user_name
    name
  rescue OAuth2::Error => error
    raise unless error.response.status == 401

    @token = @token.refresh!
    name
  end

  private

  def name
    @token.get("#{@site}/api/partner/users/me", headers: { "Version" => "2.0" }).parsed.dig("data", "name")
  end
end
