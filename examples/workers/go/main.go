// Counts the words of a message {"text": "..."} and stores the number under the id of the message.
// Exit codes: 0 done, 1 try again, 2 never try again.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var errUnusable = errors.New("the message has no text")

func main() {
	// As PID 1 of a container a program without a handler does not hear SIGTERM.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	err := work(ctx)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	switch {
	case ctx.Err() != nil:
		os.Exit(143)
	case errors.Is(err, errUnusable):
		os.Exit(2)
	}
	os.Exit(1)
}

func work(ctx context.Context) error {
	body, err := os.ReadFile(setting("MESSAGE_FILE", "/job-chief/message"))
	if err != nil {
		return err
	}
	var message struct {
		Text *string `json:"text"`
	}
	if err := json.Unmarshal(body, &message); err != nil || message.Text == nil {
		return errUnusable
	}
	words := len(strings.Fields(*message.Text))

	// The id is any text: it is no file name before it is hashed.
	hash := sha256.Sum256([]byte(os.Getenv("JOB_CHIEF_MESSAGE_ID")))
	result := filepath.Join(setting("RESULTS", "/results"), hex.EncodeToString(hash[:])[:32])
	if _, err := os.Stat(result); errors.Is(err, os.ErrNotExist) { // else a Job before this one got that far
		if err := store(ctx, result, words); err != nil {
			return err
		}
	}
	return os.WriteFile(os.Getenv("JOB_CHIEF_OUTPUT"), []byte(fmt.Sprintf(`{"words":%d}`, words)), 0o644)
}

func store(ctx context.Context, result string, words int) error {
	seconds, _ := strconv.ParseFloat(setting("WORK_SECONDS", "0"), 64)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(seconds * float64(time.Second))):
	}
	temporary := fmt.Sprintf("%s.%d", result, os.Getpid())
	if err := os.WriteFile(temporary, []byte(strconv.Itoa(words)), 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, result) // whole or not at all
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
