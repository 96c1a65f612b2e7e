// Go: go run liveness.go IMAGE
// LIFESIGN_URL is the service's address, LIFESIGN_TOKEN an access token.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
)

func main() {
	photograph, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	body, err := json.Marshal(map[string]any{
		"os":                 "DESKTOP",
		"image":              base64.StdEncoding.EncodeToString(photograph),
		"liveness_min_score": 0.6,
	})
	if err != nil {
		log.Fatal(err)
	}
	request, err := http.NewRequest(
		http.MethodPost, os.Getenv("LIFESIGN_URL")+"/v2/face-recognition/liveness", bytes.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", os.Getenv("LIFESIGN_TOKEN"))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(answer))
	if response.StatusCode != http.StatusOK {
		os.Exit(1)
	}
}
