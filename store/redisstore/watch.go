package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-077cad0b/auth"
)

// confirmEvery is how often a watcher makes sure that it has heard everything.
const confirmEvery = 400 * time.Millisecond

// Watch implements [auth.Watcher]. What changes a record publishes its digest
// within the same script, and a subscriber hears it as soon as the network has
// brought it: well below a millisecond after the change on a near server. In a
// cluster every master is listened to, as each tells at once what it has changed
// itself; so each change is told as many times as there are masters.
//
// Every 400 milliseconds each connection is asked whether the server is a master
// still, which it answers after everything that was published before; told is
// called when all of them have. Watch ends with an error when one is closed, has
// not answered within the time-out or is no master, or the masters of the cluster
// are no longer those it listens to, and while slots move.
func (s *Store) Watch(ctx context.Context, changed func(auth.Digest), told func(t time.Time)) error {
	nodes, err := s.masters(ctx)
	if err != nil {
		return err
	}
	w := &watch{store: s, changed: changed, lost: make(chan error, len(nodes))}
	defer w.close()
	for _, node := range nodes {
		if err := w.listen(ctx, node); err != nil {
			return s.failed(ctx, err)
		}
	}
	tick := time.NewTicker(confirmEvery)
	defer tick.Stop()
	for {
		t := time.Now()
		if err := w.confirm(ctx); err != nil {
			return s.failed(ctx, err)
		}
		w.tell(func() { told(t) })
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-w.lost:
			return s.failed(ctx, err)
		case <-tick.C:
		}
	}
}

// A watch is a connection to each master.
type watch struct {
	store   *Store
	changed func(auth.Digest)
	lost    chan error
	nodes   []rueidis.DedicatedClient
	ids     []string // of the nodes of a cluster

	mu   sync.Mutex // held while somebody is told
	over bool
}

// tell keeps those that are told to one at a time, and to none when the watch is
// over.
func (w *watch) tell(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		f()
	}
}

func (w *watch) close() {
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	for _, node := range w.nodes {
		node.Close()
	}
}

// listen subscribes to what a node tells.
func (w *watch) listen(ctx context.Context, c rueidis.Client) error {
	node, _ := c.Dedicate()
	w.nodes = append(w.nodes, node)
	closed := node.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: func(m rueidis.PubSubMessage) {
		var d auth.Digest
		if copy(d[:], m.Message) == len(d) {
			w.tell(func() { w.changed(d) })
		}
	}})
	go func() {
		if err := <-closed; err != nil {
			w.lost <- err
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, w.store.timeout)
	defer cancel()
	if w.store.isCluster() {
		id, err := node.Do(ctx, node.B().ClusterMyid().Build()).ToString()
		if err != nil {
			return err
		}
		w.ids = append(w.ids, id)
	}
	return node.Do(ctx, node.B().Subscribe().Channel(w.store.channel).Build()).Error()
}

// confirm returns when every node has answered on the connection that it tells
// changes on: what was changed before has been told by then.
func (w *watch) confirm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.store.timeout)
	defer cancel()
	answers := make(chan error, len(w.nodes))
	for _, node := range w.nodes {
		go func() { answers <- w.ask(ctx, node) }()
	}
	var errs []error
	for range w.nodes {
		errs = append(errs, <-answers)
	}
	return errors.Join(errs...)
}

func (w *watch) ask(ctx context.Context, node rueidis.DedicatedClient) error {
	if !w.store.isCluster() {
		return checkMaster(node.Do(ctx, node.B().Role().Build()))
	}
	text, err := node.Do(ctx, node.B().ClusterNodes().Build()).ToString()
	if err != nil {
		return err
	}
	return checkMasters(text, w.ids)
}

// verbatim is what RESP3 has before a text, and the client leaves there.
const verbatim = "txt:"

// checkMasters reads what CLUSTER NODES says, a line for each node, and returns an
// error unless the masters that have slots are those with the ids, and no slot of
// the node that has been asked is on its way.
func checkMasters(text string, ids []string) error {
	for line := range strings.Lines(text) {
		// id, address, flags, master, two times, epoch, link, slots
		fields := strings.Fields(strings.TrimPrefix(line, verbatim))
		if len(fields) < 9 {
			continue // without slots
		}
		flags := strings.Split(fields[2], ",")
		switch {
		case !slices.Contains(flags, "master"):
		case !slices.Contains(ids, fields[0]):
			return fmt.Errorf("%s is a master that is not listened to", fields[1])
		case strings.HasPrefix(fields[len(fields)-1], "["):
			return fmt.Errorf("slots of %s are on their way", fields[1])
		}
	}
	return nil
}
