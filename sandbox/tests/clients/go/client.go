// The package golang.org/x/oauth2 at the sandbox: `client NAME URL...` writes one line of JSON for each sandbox.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

const callback = "http://localhost:7000/callback"

// lackings has a field of a token and the step, with a value for which the API refuses it.
var lackings = map[[2]string]any{{"scope", "scope_missing"}: "read", {"user_id", "user_missing"}: nil}

var background = context.Background()

func configOf(site, id, secret string) *oauth2.Config {
	return &oauth2.Config{
		ClientID:     id,
		ClientSecret: secret,
		RedirectURL:  callback,
		Scopes:       []string{"read", "write", "v2"},
		Endpoint: oauth2.Endpoint{
			AuthURL:   site + "/oauth/authorize/",
			TokenURL:  site + "/api/open/oauth/token",
			AuthStyle: oauth2.AuthStyleInParams,
		},
	}
}

func control(site, method, path string, body map[string]any) map[string]any {
	content, _ := json.Marshal(body)
	request, err := http.NewRequest(method, site+"/control/"+path, bytes.NewReader(content))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode >= 300 {
		log.Fatal(path, answer, err)
	}
	return answer
}

func findings(site string) string {
	response, err := http.Get(site + "/control/lint")
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	var found []struct{ Rule string }
	if err := json.NewDecoder(response.Body).Decode(&found); err != nil {
		log.Fatal(err)
	}
	rules := []string{}
	for _, finding := range found {
		rules = append(rules, finding.Rule)
	}
	return strings.Join(rules, " ")
}

func random() string {
	content := make([]byte, 32)
	if _, err := rand.Read(content); err != nil {
		log.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(content)
}

func approved(config *oauth2.Config, site, state, verifier string) string {
	hash := sha256.Sum256([]byte(verifier))
	address := config.AuthCodeURL(state,
		oauth2.SetAuthURLParam("code_challenge", base64.RawURLEncoding.EncodeToString(hash[:])),
		oauth2.SetAuthURLParam("code_challenge_method", "S256"))
	answer := control(site, "POST", "consent", map[string]any{"url": address, "decision": "approve"})
	location, err := url.Parse(answer["location"].(string))
	if err != nil || location.Query().Get("state") != state {
		log.Fatal(location, err)
	}
	return location.Query().Get("code")
}

func exchange(config *oauth2.Config, code, verifier string) (*oauth2.Token, error) {
	return config.Exchange(background, code, oauth2.SetAuthURLParam("code_verifier", verifier))
}

// refresh refreshes although the token is still valid.
func refresh(config *oauth2.Config, token *oauth2.Token) (*oauth2.Token, error) {
	return config.TokenSource(background, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
}

func api(config *oauth2.Config, site string, token *oauth2.Token) error {
	if token == nil {
		return errors.New("there is no token")
	}
	request, _ := http.NewRequest("GET", site+"/api/partner/users/me", nil)
	request.Header.Set("Version", "2.0")
	response, err := config.Client(background, token).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var user struct{ Data struct{ Name string } }
	if response.StatusCode != 200 {
		return fmt.Errorf("API: %d", response.StatusCode)
	}
	if err := json.NewDecoder(response.Body).Decode(&user); err != nil || user.Data.Name != "Demo user" {
		return fmt.Errorf("API: %s, %v", user.Data.Name, err)
	}
	return nil
}

// reason returns what an application can tell its user of an error.
func reason(err error) string {
	if err == nil {
		return "ok"
	}
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		var body struct {
			Description string `json:"error_description"`
		}
		if json.Unmarshal(refused.Body, &body) == nil && body.Description != "" {
			return body.Description
		}
	}
	return strings.SplitN(err.Error(), "\n", 2)[0]
}

// outcomes takes the client through everything that a setting may decide.
func outcomes(site string) map[string]string {
	config := configOf(site, "demo-app", "demo-secret")
	result := map[string]string{}
	state, verifier := random(), random()

	token, err := exchange(config, approved(config, site, state, verifier), verifier)
	result["sign_in"] = reason(err)
	if err != nil {
		return result
	}
	result["expires_in"] = fmt.Sprint(time.Until(token.Expiry).Round(time.Second).Seconds())
	scope, isText := token.Extra("scope").(string)
	if !isText {
		list, _ := json.Marshal(token.Extra("scope"))
		scope = string(list)
	}
	result["scope"] = scope
	result["api"] = reason(api(config, site, token))
	newer, err := refresh(config, token)
	result["refresh"] = reason(err)
	result["api_after_refresh"] = reason(api(config, site, newer))
	result["findings"] = findings(site)
	result["older_access_token"] = reason(api(config, site, token))
	_, err = refresh(config, token)
	result["older_refresh_token"] = reason(err)
	result["api_after_reuse"] = reason(api(config, site, newer))

	another := approved(config, site, state, verifier)
	others, err := exchange(config, another, verifier)
	if err != nil {
		log.Fatal(err)
	}
	_, err = exchange(config, another, verifier)
	result["code_again"] = reason(err)
	result["api_after_code_again"] = reason(api(config, site, others))
	_, err = exchange(config, approved(config, site, state, verifier), random())
	result["wrong_verifier"] = reason(err)

	code := control(site, "POST", "codes", map[string]any{"client_id": "inactive-app", "redirect_uri": callback})
	_, err = exchange(configOf(site, "inactive-app", "inactive-secret"), code["secret"].(string), verifier)
	result["inactive_client"] = reason(err)
	for name, lacking := range lackings {
		body := map[string]any{"client_id": "demo-app", name[0]: lacking}
		secret := control(site, "POST", "access-tokens", body)["secret"].(string)
		result[name[1]] = reason(api(config, site, &oauth2.Token{AccessToken: secret}))
	}
	expired, err := exchange(config, approved(config, site, state, verifier), verifier)
	if err != nil {
		log.Fatal(err)
	}
	control(site, "POST", "clock/move", map[string]any{"seconds": 86400})
	result["expired_access_token"] = reason(api(config, site, expired))
	control(site, "PATCH", "settings", map[string]any{"request_limit": map[string]any{"requests": 1}})
	_ = api(config, site, expired)
	_, err = refresh(config, expired)
	result["too_many_requests"] = reason(err)
	return result
}

func main() {
	for _, site := range os.Args[2:] {
		line, _ := json.Marshal(outcomes(site))
		fmt.Println(string(line))
	}
}
