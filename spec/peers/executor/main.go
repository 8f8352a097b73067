// SPDX-License-Identifier: Apache-2.0
//
// A custom executor on mesos-go's v1 library. Each task is TASK_STARTING, then TASK_RUNNING, until a
// message or KILL ends it. Messages: "finish TASK", "fail TASK", "exit N" (at once); every message is
// sent back with "echo:" in front of it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"
	"strings"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/encoding"
	"github.com/mesos/mesos-go/api/v1/lib/encoding/codecs"
	"github.com/mesos/mesos-go/api/v1/lib/executor"
	"github.com/mesos/mesos-go/api/v1/lib/executor/calls"
	"github.com/mesos/mesos-go/api/v1/lib/executor/config"
	"github.com/mesos/mesos-go/api/v1/lib/executor/events"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli/httpexec"
	"github.com/pborman/uuid"
)

var errShutdown = errors.New("the agent said SHUTDOWN")

// peer is the executor: its tasks, and what the agent has not acknowledged yet.
type peer struct {
	executor            string
	sender              calls.Sender
	running             map[string]bool
	unacknowledgedTasks map[string]mesos.TaskInfo
	unacknowledged      map[string]executor.Call_Update
}

func (p *peer) send(call *executor.Call) {
	response, err := p.sender.Send(context.Background(), calls.NonStreaming(call))
	if response != nil {
		response.Close()
	}
	if err != nil {
		log.Printf("%s failed: %v", call.GetType(), err)
	}
}

func (p *peer) update(task string, state mesos.TaskState, message string) {
	now := float64(time.Now().UnixNano()) / 1e9
	source := mesos.SOURCE_EXECUTOR
	status := mesos.TaskStatus{
		TaskID: mesos.TaskID{Value: task}, Source: &source, State: &state, Message: &message, Timestamp: &now,
		ExecutorID: &mesos.ExecutorID{Value: p.executor}, UUID: []byte(uuid.NewRandom()),
	}
	call := calls.Update(status)
	p.unacknowledged[string(status.UUID)] = *call.Update
	p.send(call)
}

func (p *peer) end(task string, state mesos.TaskState, message string) {
	if p.running[task] {
		delete(p.running, task)
		p.update(task, state, message)
	}
}

// ---- events ----

func (p *peer) onSubscribed(_ context.Context, _ *executor.Event) error {
	p.send(calls.Message([]byte("subscribed")))
	return nil
}

func (p *peer) onLaunch(_ context.Context, e *executor.Event) error {
	task := e.GetLaunch().GetTask()
	id := task.TaskID.Value
	p.unacknowledgedTasks[id] = task
	p.running[id] = true
	p.update(id, mesos.TASK_STARTING, "")
	p.update(id, mesos.TASK_RUNNING, "in mesos-go")
	return nil
}

func (p *peer) onKill(_ context.Context, e *executor.Event) error {
	p.end(e.GetKill().GetTaskID().Value, mesos.TASK_KILLED, "killed in mesos-go")
	return nil
}

func (p *peer) onMessage(_ context.Context, e *executor.Event) error {
	text := string(e.GetMessage().GetData())
	p.send(calls.Message([]byte("echo:" + text)))
	words := append(strings.Fields(text), "", "")
	switch words[0] {
	case "finish":
		p.end(words[1], mesos.TASK_FINISHED, "finished in mesos-go")
	case "fail":
		p.end(words[1], mesos.TASK_FAILED, "failed in mesos-go")
	case "exit":
		status := 0
		fmt.Sscan(words[1], &status)
		os.Exit(status)
	}
	return nil
}

func (p *peer) onAcknowledged(_ context.Context, e *executor.Event) error {
	delete(p.unacknowledgedTasks, e.GetAcknowledged().GetTaskID().Value)
	delete(p.unacknowledged, string(e.GetAcknowledged().GetUUID()))
	return nil
}

func (p *peer) onShutdown(_ context.Context, _ *executor.Event) error {
	for task := range p.running {
		p.end(task, mesos.TASK_KILLED, "shut down in mesos-go")
	}
	return errShutdown
}

func (p *peer) handler() events.Handler {
	return events.HandlerFuncs{
		executor.Event_SUBSCRIBED:   p.onSubscribed,
		executor.Event_LAUNCH:       p.onLaunch,
		executor.Event_KILL:         p.onKill,
		executor.Event_MESSAGE:      p.onMessage,
		executor.Event_ACKNOWLEDGED: p.onAcknowledged,
		executor.Event_SHUTDOWN:     p.onShutdown,
		executor.Event_ERROR: events.HandlerFunc(func(_ context.Context, e *executor.Event) error {
			return errors.New(e.GetError().GetMessage())
		}),
	}
}

// ---- the subscription ----

func (p *peer) subscribeCall() *executor.Call {
	tasks, updates := []mesos.TaskInfo{}, []executor.Call_Update{}
	for _, task := range p.unacknowledgedTasks {
		tasks = append(tasks, task)
	}
	for _, update := range p.unacknowledged {
		updates = append(updates, update)
	}
	return calls.Subscribe(tasks, updates)
}

func readEvents(decoder encoding.Decoder, handler events.Handler) error {
	for {
		var event executor.Event
		if err := decoder.Decode(&event); err != nil {
			return err
		}
		if err := handler.HandleEvent(context.Background(), &event); err != nil {
			return err
		}
	}
}

// Subscribes, and reads events until the stream ends.
func (p *peer) subscribe(subscriber calls.Sender) error {
	response, err := subscriber.Send(context.Background(), calls.NonStreaming(p.subscribeCall()))
	if response != nil {
		defer response.Close()
	}
	if err != nil {
		return err
	}
	return readEvents(response, p.handler())
}

func main() {
	c, err := config.FromEnv()
	if err != nil {
		log.Fatal(err)
	}
	endpoint := url.URL{Scheme: "http", Host: c.AgentEndpoint, Path: "/api/v1/executor"}
	client := httpcli.New(httpcli.Endpoint(endpoint.String()),
		httpcli.Codec(codecs.ByMediaType[codecs.MediaTypeProtobuf]),
		httpcli.Do(httpcli.With(httpcli.Timeout(10*time.Second))))
	options := executor.CallOptions{calls.Framework(c.FrameworkID), calls.Executor(c.ExecutorID)}
	p := &peer{
		executor: c.ExecutorID, running: map[string]bool{},
		sender:              calls.SenderWith(httpexec.NewSender(client.Send), options...),
		unacknowledgedTasks: map[string]mesos.TaskInfo{}, unacknowledged: map[string]executor.Call_Update{},
	}
	subscriber := calls.SenderWith(httpexec.NewSender(client.Send, httpcli.Close(true)), options...)
	err = p.subscribe(subscriber)
	for c.Checkpoint && err != errShutdown { // the agent may come back
		log.Printf("disconnected: %v", err)
		time.Sleep(c.SubscriptionBackoffMax)
		err = p.subscribe(subscriber)
	}
	if err != errShutdown && err != io.EOF {
		log.Fatal(err)
	}
}
