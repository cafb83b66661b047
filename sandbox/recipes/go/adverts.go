// Package adverts reads the name of the signed-in user from the partner API.
package adverts

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"
)

// Config returns the configuration of a client at a site.
func Config(site, id, secret, redirectURL string) *oauth2.Config {
	return &oauth2.Config{
		ClientID:     id,
		ClientSecret: secret,
		RedirectURL:  redirectURL,
		Scopes:       []string{"read", "write", "v2"},
		Endpoint: oauth2.Endpoint{
			AuthURL:   site + "/oauth/authorize/",
			TokenURL:  site + "/api/open/oauth/token",
			AuthStyle: oauth2.AuthStyleInParams,
		},
	}
}

// Callback exchanges the code of the address that the browser was sent to.
func Callback(ctx context.Context, config *oauth2.Config, address, state string) (*oauth2.Token, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	answer := parsed.Query()
	if answer.Get("state") != state || !answer.Has("code") {
		return nil, fmt.Errorf("sign-in refused: %s", answer.Get("error"))
	}
	return config.Exchange(ctx, answer.Get("code"))
}

// UserName returns the name of the user; client has the token, and refreshes it when it has expired.
func UserName(client *http.Client, site string) (string, error) {
	request, err := http.NewRequest("GET", site+"/api/partner/users/me", nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("Version", "2.0")
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the API responded %s", response.Status)
	}
	var user struct{ Data struct{ Name string } }
	err = json.NewDecoder(response.Body).Decode(&user)
	return user.Data.Name, err
}
