package adverts

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

type fields map[string]any

const state = "8c7dd922ad47494f"

// server is the sandbox of a service, or one that is started for this package.
var server = os.Getenv("OAUTH_SANDBOX_URL")

func TestMain(m *testing.M) {
	if server != "" {
		os.Exit(m.Run())
	}
	program := exec.Command("oauth-sandbox", "--port", "0")
	output, err := program.StdoutPipe()
	if err != nil {
		log.Fatal(err)
	}
	if err := program.Start(); err != nil {
		log.Fatal(err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		log.Fatal(err)
	}
	server = strings.TrimPrefix(strings.TrimSpace(line), "Sandbox ready at ")
	status := m.Run()
	_ = program.Process.Kill()
	_ = program.Wait()
	os.Exit(status)
}

// control calls an operation of the sandbox at site, and decodes what it returns into result.
func control(t *testing.T, site, method, path string, body, result any) {
	t.Helper()
	content, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(method, site+"/control/"+path, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+os.Getenv("OAUTH_SANDBOX_TOKEN"))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %s", method, path, response.Status, answer)
	}
	if result != nil {
		if err := json.Unmarshal(answer, result); err != nil {
			t.Fatal(err)
		}
	}
}

// own returns the address of a sandbox for this test alone, so that tests run side by side.
func own(t *testing.T, configuration fields) string {
	t.Parallel()
	var made struct{ URL string }
	control(t, server, "POST", "sandboxes", configuration, &made)
	return made.URL
}

func signIn(t *testing.T, config *oauth2.Config, site, decision string) (*oauth2.Token, error) {
	t.Helper()
	var redirect struct{ Location string }
	consent := fields{"url": config.AuthCodeURL(state), "decision": decision}
	control(t, site, "POST", "consent", consent, &redirect)
	return Callback(context.Background(), config, redirect.Location, state)
}

func signedIn(t *testing.T, config *oauth2.Config, site string) *http.Client {
	t.Helper()
	token, err := signIn(t, config, site, "approve")
	if err != nil {
		t.Fatal(err)
	}
	return config.Client(context.Background(), token)
}

func demo(site string) *oauth2.Config {
	return Config(site, "demo-app", "demo-secret", "http://localhost:7000/callback")
}

func wantName(t *testing.T, client *http.Client, site string) {
	t.Helper()
	if name, err := UserName(client, site); name != "Demo user" || err != nil {
		t.Errorf("UserName() = %q, %v", name, err)
	}
}

func TestSignInAndReadTheName(t *testing.T) {
	site := own(t, fields{})
	wantName(t, signedIn(t, demo(site), site), site)
	var findings []any
	control(t, site, "GET", "lint", nil, &findings)
	if len(findings) != 0 {
		t.Errorf("lint: %v", findings)
	}
}

func TestRefusedConsentIsAnError(t *testing.T) {
	site := own(t, fields{})
	if _, err := signIn(t, demo(site), site, "deny"); err == nil || !strings.Contains(err.Error(), "access_denied") {
		t.Errorf("error = %v", err)
	}
}

// The package looks at its own clock, and refreshes 10 seconds early: a short lifetime instead of a moved clock.
func TestExpiredTokenIsRefreshed(t *testing.T) {
	site := own(t, fields{"lifetimes": fields{"access_token": 11}})
	client := signedIn(t, demo(site), site)
	before := tokenOf(t, client)
	for deadline := time.Now().Add(30 * time.Second); tokenOf(t, client) == before; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the token was not refreshed")
		}
	}
	wantName(t, client, site)
}

func tokenOf(t *testing.T, client *http.Client) string {
	t.Helper()
	token, err := client.Transport.(*oauth2.Transport).Source.Token()
	if err != nil {
		t.Fatal(err)
	}
	return token.AccessToken
}

func TestServerErrorIsReportedAndPasses(t *testing.T) {
	site := own(t, fields{})
	client := signedIn(t, demo(site), site)
	control(t, site, "POST", "faults", fields{"fault": "server-error", "endpoint": "user"}, nil)
	if _, err := UserName(client, site); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("error = %v", err)
	}
	wantName(t, client, site)
}
