// SPDX-License-Identifier: Apache-2.0
//
// A scheduler on mesos-go's v1 library that does what its standard input says, a line a command, and
// prints a line for each event. It acknowledges updates with the library's own rule, and keeps the
// framework id in a file, so that the next process goes on with it.
//
//	scheduler -url http://127.0.0.1:5050/api/v1/scheduler -id-file FILE [-timeout S] [-quiet]
//
//	launch TASK COMMAND                      a task of 0.1 cpus, on an offer that is at hand
//	launch-executor TASK EXECUTOR COMMAND    a task on a custom executor
//	kill TASK | message EXECUTOR TEXT | shutdown EXECUTOR | reconcile [TASK...]
//	decline | revive | suppress | teardown
//	exit                                     ends the process; the framework stays, for its timeout
//
// With -quiet it declines all offers, and prints nothing but "subscribed": for benchmarks.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io/ioutil"
	"os"
	"strings"
	"sync"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/backoff"
	"github.com/mesos/mesos-go/api/v1/lib/encoding/codecs"
	"github.com/mesos/mesos-go/api/v1/lib/extras/scheduler/callrules"
	"github.com/mesos/mesos-go/api/v1/lib/extras/scheduler/controller"
	"github.com/mesos/mesos-go/api/v1/lib/extras/scheduler/eventrules"
	"github.com/mesos/mesos-go/api/v1/lib/extras/store"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli"
	"github.com/mesos/mesos-go/api/v1/lib/httpcli/httpsched"
	"github.com/mesos/mesos-go/api/v1/lib/resources"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler/calls"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler/events"
)

// peer is the scheduler: what it knows of offers, tasks and executors, under one lock.
type peer struct {
	sync.Mutex
	caller    calls.Caller
	ids       store.Singleton
	offers    []mesos.Offer
	wanted    chan struct{} // has an element while there may be offers
	agents    map[string]string
	executors map[string]string
}

func say(words ...string) {
	fmt.Println(strings.Join(words, " "))
}

func (p *peer) call(call *scheduler.Call) {
	if err := calls.CallNoData(context.Background(), p.caller, call); err != nil {
		say("call-failed", call.GetType().String(), err.Error())
	}
}

// ---- commands ----

func (p *peer) takeOffer() mesos.Offer {
	for {
		p.Lock()
		if len(p.offers) > 0 {
			offer := p.offers[0]
			p.offers = p.offers[1:]
			p.Unlock()
			return offer
		}
		p.Unlock()
		<-p.wanted
	}
}

func taskInfo(id string, offer mesos.Offer) mesos.TaskInfo {
	needed := mesos.Resources{}
	needed.Add(resources.NewCPUs(0.1).Resource, resources.NewMemory(16).Resource)
	return mesos.TaskInfo{
		Name: id, TaskID: mesos.TaskID{Value: id}, AgentID: offer.AgentID, Resources: needed,
	}
}

func shell(command string) *mesos.CommandInfo {
	yes := true
	return &mesos.CommandInfo{Shell: &yes, Value: &command}
}

func (p *peer) launch(task mesos.TaskInfo, offer mesos.Offer) {
	p.Lock()
	p.agents[task.TaskID.Value] = offer.AgentID.Value
	if task.Executor != nil {
		p.executors[task.Executor.ExecutorID.Value] = offer.AgentID.Value
	}
	p.Unlock()
	accept := calls.Accept(calls.OfferOperations{calls.OpLaunch(task)}.WithOffers(offer.ID))
	p.call(accept.With(calls.RefuseSeconds(0)))
}

func (p *peer) launchCommand(id, command string) {
	offer := p.takeOffer()
	task := taskInfo(id, offer)
	task.Command = shell(command)
	p.launch(task, offer)
}

func (p *peer) launchOnExecutor(id, executor, command string) {
	offer := p.takeOffer()
	task := taskInfo(id, offer)
	framework, _ := p.ids.Get()
	task.Executor = &mesos.ExecutorInfo{
		Type: mesos.ExecutorInfo_CUSTOM, ExecutorID: mesos.ExecutorID{Value: executor},
		FrameworkID: &mesos.FrameworkID{Value: framework}, Command: shell(command),
	}
	p.launch(task, offer)
}

func (p *peer) reconcile(ids []string) {
	tasks := map[string]string{}
	for _, id := range ids {
		tasks[id] = p.agents[id]
	}
	p.call(calls.Reconcile(calls.ReconcileTasks(tasks)))
}

func (p *peer) declineAll() {
	p.Lock()
	ids := []mesos.OfferID{}
	for _, offer := range p.offers {
		ids = append(ids, offer.ID)
	}
	p.offers = nil
	p.Unlock()
	p.call(calls.Decline(ids...).With(calls.RefuseSeconds(0)))
}

func (p *peer) obey(line string) {
	words := strings.SplitN(line, " ", 4)
	words = append(words, "", "", "")
	name, first := words[0], words[1]
	rest := strings.TrimPrefix(strings.TrimPrefix(line, name+" "), first+" ")
	switch name {
	case "launch":
		p.launchCommand(first, rest)
	case "launch-executor":
		p.launchOnExecutor(first, words[2], words[3])
	case "kill":
		p.call(calls.Kill(first, p.agents[first]))
	case "message":
		p.call(calls.Message(p.executors[first], first, []byte(rest)))
	case "shutdown":
		p.call(calls.Shutdown(first, p.executors[first]))
	case "reconcile":
		p.reconcile(strings.Fields(line)[1:])
	case "decline":
		p.declineAll()
	case "revive":
		p.call(calls.Revive())
	case "suppress":
		p.call(calls.Suppress())
	case "teardown":
		p.call(&scheduler.Call{Type: scheduler.Call_TEARDOWN})
		say("torn-down")
	case "exit":
		os.Exit(0)
	default:
		say("what?", line)
	}
}

func (p *peer) readCommands() {
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		p.obey(input.Text())
	}
}

// ---- events ----

func (p *peer) onOffers(_ context.Context, e *scheduler.Event) error {
	p.Lock()
	p.offers = append(p.offers, e.GetOffers().GetOffers()...)
	p.Unlock()
	select {
	case p.wanted <- struct{}{}:
	default:
	}
	say("offers", fmt.Sprint(len(e.GetOffers().GetOffers())))
	return nil
}

func (p *peer) onRescind(_ context.Context, e *scheduler.Event) error {
	gone := e.GetRescind().GetOfferID().Value
	p.Lock()
	defer p.Unlock()
	for i, offer := range p.offers {
		if offer.ID.Value == gone {
			p.offers = append(p.offers[:i], p.offers[i+1:]...)
			break
		}
	}
	say("rescind")
	return nil
}

func onUpdate(_ context.Context, e *scheduler.Event) error {
	s := e.GetUpdate().GetStatus()
	say("update", s.TaskID.Value, s.GetState().String(), s.GetReason().String(), s.GetMessage())
	return nil
}

func onMessage(_ context.Context, e *scheduler.Event) error {
	say("message", e.GetMessage().ExecutorID.Value, string(e.GetMessage().Data))
	return nil
}

func onFailure(_ context.Context, e *scheduler.Event) error {
	f := e.GetFailure()
	if f.ExecutorID != nil {
		say("executor-lost", f.ExecutorID.Value, fmt.Sprint(f.GetStatus()))
	} else {
		say("agent-lost")
	}
	return nil
}

func (p *peer) onSubscribed(_ context.Context, e *scheduler.Event) error {
	p.Lock()
	p.offers = nil
	p.Unlock()
	say("subscribed", e.GetSubscribed().GetFrameworkID().Value)
	return nil
}

func (p *peer) declineOffers(_ context.Context, e *scheduler.Event) error {
	ids := []mesos.OfferID{}
	for _, offer := range e.GetOffers().GetOffers() {
		_ = offer.ID.Value
		have := mesos.Resources(offer.Resources)
		_, _ = resources.CPUs(have...)
		_, _ = resources.Memory(have...)
		ids = append(ids, offer.ID)
	}
	p.call(calls.Decline(ids...))
	return nil
}

// The first rule that sees an event handles its error, then the subscription's, then acknowledgements.
func (p *peer) handler(timeout time.Duration, quiet bool) events.Handler {
	handlers := events.HandlerFuncs{
		scheduler.Event_SUBSCRIBED: p.onSubscribed,
		scheduler.Event_OFFERS:     p.onOffers,
		scheduler.Event_RESCIND:    p.onRescind,
		scheduler.Event_UPDATE:     onUpdate,
		scheduler.Event_MESSAGE:    onMessage,
		scheduler.Event_FAILURE:    onFailure,
	}
	if quiet {
		handlers = events.HandlerFuncs{
			scheduler.Event_SUBSCRIBED: p.onSubscribed, scheduler.Event_OFFERS: p.declineOffers,
		}
	}
	return eventrules.New(
		controller.LiftErrors(), controller.TrackSubscription(p.ids, timeout),
		controller.AckStatusUpdatesF(func() calls.Caller { return p.caller }),
	).Handle(handlers)
}

// ---- the start ----

// The framework id lies in a file.
func stored(file string) store.Singleton {
	ids := store.NewInMemorySingleton()
	if old, err := ioutil.ReadFile(file); err == nil && len(old) > 0 {
		_ = ids.Set(string(old))
	}
	return store.DecorateSingleton(ids, store.DoSet().AndThen(
		func(_ store.Setter, id string, _ error) error { return ioutil.WriteFile(file, []byte(id), 0o600) }))
}

func main() {
	url := flag.String("url", "", "of the scheduler's endpoint")
	file := flag.String("id-file", "", "where the framework id is kept")
	seconds := flag.Float64("timeout", 60, "failover timeout")
	quiet := flag.Bool("quiet", false, "decline everything, and print no events")
	flag.Parse()

	client := httpcli.New(httpcli.Endpoint(*url), httpcli.Codec(codecs.ByMediaType[codecs.MediaTypeProtobuf]),
		httpcli.Do(httpcli.With(httpcli.Timeout(10*time.Second))))
	p := &peer{
		ids: stored(*file), wanted: make(chan struct{}, 1), agents: map[string]string{}, executors: map[string]string{},
	}
	p.caller = callrules.New(callrules.WithFrameworkID(store.GetIgnoreErrors(p.ids))).Caller(httpsched.NewCaller(client))
	framework := &mesos.FrameworkInfo{User: os.Getenv("USER"), Name: "mesos-go", FailoverTimeout: seconds}
	if framework.User == "" {
		framework.User = "root"
	}

	go p.readCommands()
	err := controller.Run(context.Background(), framework, p.caller,
		controller.WithEventHandler(p.handler(time.Duration(*seconds)*time.Second, *quiet)),
		controller.WithFrameworkID(store.GetIgnoreErrors(p.ids)),
		controller.WithRegistrationTokens(backoff.Notifier(100*time.Millisecond, time.Second, nil)),
		controller.WithSubscriptionTerminated(func(err error) { say("disconnected", fmt.Sprint(err)) }))
	if err != nil {
		say("ended", err.Error())
	}
}
