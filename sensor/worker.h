/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.h - one capture handle and the tables behind it: frames in, event records out.
 *
 * Workers share nothing but the inventory snapshot.  Live, the kernel spreads frames over them by
 * the IP pair; in a replay they deal them out among themselves (deal.h), by the same function.  So
 * both legs of a relay always meet in one worker.
 *
 * Threads: everything in struct worker belongs to its thread, but for the members named "shared".
 */
#ifndef WORKER_H
#define WORKER_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/cycles.h"
#include "base/hash.h"
#include "base/ring.h"
#include "bulkhead/app.h"
#include "bulkhead/capture.h"
#include "bulkhead/clock.h"
#include "bulkhead/detector.h"
#include "bulkhead/options.h"
#include "bulkhead/stats.h"
#include "bulkhead/tenant.h"
#include "flow/opening.h"
#include "flow/secret.h"
#include "flow/table.h"
#include "flow/watch.h"
#include "record.h"

struct deal;
struct judge;
struct reading;

/* What all workers and the judge of an engine have in common. */
struct shared {
	const struct options *options;
	struct hash_key key;
	uint64_t seed;
	uint64_t wants; /* events that some detector asks for */
	unsigned workers;
	bool live;
	double speed;
	struct reading *reading;	       /* replay: the captures ... */
	struct deal *deal;		       /* ... and who shares them out; NULL: one worker */
	_Atomic(struct inventory *) inventory; /* the newest snapshot; swapped by engine_reload() */
	pthread_mutex_t swap;		       /* guards taking a reference to it */
	atomic_bool stop;
	atomic_bool failed;			/* the judge is gone: nobody reads the rings */
	_Atomic int link[OPTIONS_MAX_CAPTURES]; /* live: enum link_state */
};

/* Live: room for the events of a burst; a control frame takes up to 2.5 KiB of it.  A replay waits
 * for the judge, and what goes through the ring shall stay in the cache. */
#define RING_LIVE ((size_t)16 << 20)
#define RING_REPLAY ((size_t)1 << 20)

/* What an overloaded worker leaves out (shed.c); each level includes those before. */
enum shed_level { SHED_NOTHING, SHED_EVIDENCE, SHED_DPI_NEW, SHED_DPI, SHED_MATCHING };

/* times.c: what time it is by the frames seen so far. */
struct packet_time {
	uint64_t now_ns;
	uint64_t behind_ns;  /* of the last frame far behind now_ns ... */
	unsigned behind;     /* ... and how many such came in a row */
	uint64_t suspect_ns; /* a jump ahead that waits for a second frame */
};

/* A quiet night is no jump; a year is, and is believed when a second frame says the same. */
#define TIME_JUMP_NS (24 * 3600 * NS_PER_SEC)

bool packet_time_doubt(struct packet_time *time, uint64_t ts_ns);

/* A frame comes; true when its time cannot be right, or that of frames before it was not. */
static inline bool packet_time_advance(struct packet_time *time, uint64_t ts_ns)
{
	if (ts_ns <= time->now_ns || ts_ns - time->now_ns > TIME_JUMP_NS || time->now_ns == 0)
		return packet_time_doubt(time, ts_ns);
	time->now_ns = ts_ns;
	time->behind = 0;
	return false;
}

/* Frames for a worker, in order.  Those without data are others' and only tell the time. */
struct portion {
	const struct frame *frame;
	const uint64_t *now_ns; /* packet time at each */
	unsigned count;
	bool remote;	   /* read by another thread: in another core's cache */
	unsigned file;	   /* replay: index of the capture they are from */
	uint64_t progress; /* per mille of it, UINT64_MAX unknown */
};

struct place { /* where a layer is */
	uint16_t segment, domain, scope;
	unsigned layer;
};

/* Frames that are on their way through the stages, at most (a power of two). */
#define PIPELINE_DEPTH 32
#define MAC_FILTER 4096 /* unknown MACs remembered to be told of once */

struct worker {
	struct shared *shared;
	bool profile; /* count cycles by stage */
	struct judge *judge;
	unsigned index;
	struct inventory *inv;
	uint32_t generation;
	struct flow_table *flows;
	struct watch_table *watches;
	struct reassembly *reassembly;
	struct heads *heads;
	struct hellos *hellos;
	uint64_t mac_filter[MAC_FILTER];
	uint64_t mac_second;
	unsigned macs_told;
	struct decoy_set *decoys;	     /* of the inventory; NULL when it declares none */
	struct sight_vlan vlan[SIGHT_VLANS]; /* read by the judge */
	struct unseen_table *unseen;

	/* the frame being handled */
	const struct frame *frame;
	uint64_t now_ns; /* packet time at it */
	uint64_t second;
	const struct tap *tap; /* of that frame, or NULL: of the inventory's there is none */
	uint16_t tap_id;
	bool tap_cached;
	bool place_cached; /* of the last VLAN that decided it alone */
	uint16_t last_vlan;
	struct place last_place;

	/* loss.c */
	struct loss loss_told; /* totals at the last event */
	uint16_t loss_tap;

	/* shed.c */
	enum shed_level shed;
	uint64_t shed_ns, shed_behind_ns; /* when it last changed; last fell behind */
	uint64_t shed_dropped;		  /* STAT_DROP_KERNEL at the last look */

	struct packet_stack *stack; /* PIPELINE_DEPTH, and one for what was in fragments */

	/* shared */
	struct ring *ring;
	struct openings *openings;	       /* read by the judge; NULL when DPI is off */
	struct stats stats;		       /* read by others with stat_get() */
	_Atomic uint64_t mark_number, mark_ns; /* all frames up to here are in the ring */
	atomic_bool done;
	_Atomic uint64_t rounds; /* of reading: it moves */
	uint64_t rounds_seen;	 /* by engine_moves() */
	atomic_bool blind;	 /* live: its interface is not being read */
	_Atomic int shed_told;	 /* enum shed_level */
	_Atomic uint64_t first_ns, last_ns;
	_Atomic uint64_t progress; /* per mille of the input, UINT64_MAX unknown */

	/* frames, unless they are dealt */
	struct packet_time time;
	struct frame_batch batch;
	uint64_t times[FRAME_BATCH];

	/* live: capture */
	const struct capture_source *source;
	struct capture *capture; /* NULL while blind */
	unsigned capture_index;	 /* of options->capture[] */
	struct capture_options capture_options;

	pthread_t thread;
};

/* The config's limits, divided among the workers. */
int worker_init(struct worker *w, struct shared *shared, struct judge *judge, unsigned index,
		struct err *err);
void worker_fini(struct worker *w);
/* Reads until the end or shared->stop: the body of a worker's thread. */
void worker_run(struct worker *w);

/* Adds its ledger by VLAN; any thread. */
void worker_add_vlans(const struct worker *w, struct sight_vlan sum[static SIGHT_VLANS]);

/* Around a stage: what it costs, when somebody wants to know. */
static inline uint64_t profile_begin(const struct worker *w)
{
	return w->profile ? cycles_now() : 0;
}

static inline void profile_end(struct worker *w, enum stat stage, uint64_t begin)
{
	if (w->profile)
		stat_add(&w->stats, stage, cycles_now() - begin);
}

/* A packet on its way to its flow. */
struct lookup {
	struct flow_key key;
	struct place place;
	const struct flow *guess; /* what its memory was fetched for */
	uint32_t hash;
	bool has_flow;
	uint8_t direction;
};

/* pipeline.c: takes up to FRAME_BATCH frames through all stages. */
void pipeline_batch(struct worker *w, const struct portion *portion);
/* pipeline.c: single stages, for inner layers.  outer: the frame's first layer. */
void pipeline_control(struct worker *w, const struct packet *packet, const struct place *place);
void pipeline_fragment(struct worker *w, const struct packet *packet, const struct place *place);
uint32_t pipeline_flow(struct worker *w, const struct packet *packet, const struct packet *outer,
		       const struct lookup *look);
void pipeline_begin_flow(struct worker *w, struct flow *flow, const struct packet *packet,
			 uint32_t hash, unsigned direction);
/* inner.c: domains from here to 0x8000 are those of inner layers that are in no known segment,
 * which are kept apart from native flows. */
#define DOMAIN_TUNNELLED 0x4000u
/* inner.c: the layers behind the first. */
void inner_layers(struct worker *w, const struct packet_stack *stack, const struct place *outer);
/* pipeline.c: nothing came within the time-out of a live capture: time goes on. */
void pipeline_idle(struct worker *w, uint64_t wall_ns);
/* pipeline.c: reports and ends every flow (end of the capture). */
void pipeline_finish(struct worker *w);
/* pipeline.c: callbacks of the tables. */
flow_gone pipeline_flow_gone;
watch_gone pipeline_watch_gone;

/* emit.c: puts an event into the ring. */
struct emission {
	enum event_kind kind;
	const struct packet *packet; /* for MACs and tags; may be NULL */
	const struct place *place;
	bool whole; /* the judge decodes the frame again: keep all of it */
	const struct flow *flow;
	unsigned direction;
	uint32_t path;
	const struct frame_sample *other;  /* an earlier frame it refers to */
	const struct frame_sample *sample; /* instead of the current frame */
	bool frameless; /* the flow ended by time: the current frame has nothing to do with it */
};
/* The record to fill u of, or NULL when the ring is full (counted); then emit_commit(). */
struct record *emit_begin(struct worker *w, const struct emission *e);
void emit_commit(struct worker *w, struct record *r);
void emit_tick(struct worker *w, uint64_t second_ns);
static inline bool worker_wants(const struct worker *w, enum event_kind kind)
{
	return (w->shared->wants & EVENT_BIT(kind)) != 0;
}

/* Beside the bits of a path: its packets are few yet, and each may meet its rewritten copy. */
#define PATH_YOUNG (1u << 16)
#define PATH_ALL 0xffu

/* follow.c: flows, paths, watches. */
/* Handles a packet in its flow; returns its path's bits, and PATH_YOUNG. */
uint32_t follow_packet(struct worker *w, struct flow *flow, bool fresh, unsigned direction,
		       const struct packet *packet, const struct place *place);
/* A frame without IP: only its NICs are judged. */
void follow_macs(struct worker *w, const struct packet *packet, const struct place *place);
void follow_watch_gone(struct worker *w, struct watch *watch);
void follow_sweep(struct worker *w);

/* The tap of the frame at hand. */
static inline const struct tap *worker_tap(const struct worker *w)
{
	return w->tap != NULL ? w->tap : inventory_tap(w->inv, 0);
}

/* answer.c: who was asked what the packet answers? */
bool answer_is_unasked(const struct worker *w, const struct flow *flow, unsigned direction,
		       const struct path_parties *p, const struct packet *packet);
bool answer_is_from_home(const struct worker *w, const struct flow *flow, unsigned direction,
			 const struct path_parties *p, const struct packet *packet);

/* Replay: until the judge does not ask for what the ring of openings is about to lose. */
void worker_wait_for_judge(struct worker *w);

/* content.c: the opening of a flow, tokens, contradictions. */
#define KEPT_ENOUGH UINT8_MAX /* flow->kept: nothing more */
static inline bool content_keeps(const struct worker *w, const struct flow *flow,
				 const struct packet *packet)
{
	return w->openings != NULL && packet->payload_wire != 0 && flow->kept != KEPT_ENOUGH;
}
void content_keep(struct worker *w, struct flow *flow, const struct packet *packet);
void content_packet(struct worker *w, struct flow *flow, unsigned direction,
		    const struct packet *packet, const struct place *place, uint32_t path);

/* copies.c: which frames are one and the same. */
/* A frame leaves a port within microseconds; the same bytes later are another frame: TCP repeats
 * after 10 ms at the soonest (tail loss probe), applications every few. A copy that a long queue
 * held longer is counted as a packet of its own, which proves nothing. */
#define COPY_NS NS_PER_MS
/* Only a tap of both directions shows a frame twice. */
static inline bool copies_happen(const struct worker *w)
{
	return w->tap != NULL && w->tap->view == VIEW_BOTH;
}
/* There: counts the copies of one frame; true when it is a further copy. */
bool copies_note(struct worker *w, struct flow *flow, unsigned direction,
		 const struct packet *packet, const struct place *place);
/* No more copies of the flow's last frames will come. */
void copies_end(struct flow *flow);
/* Before flow->last_ns is set. */
static inline void copies_age(struct flow *flow, uint64_t now_ns)
{
	if ((flow->copies[0].seen | flow->copies[1].seen) != 0 && now_ns - flow->last_ns > COPY_NS)
		copies_end(flow);
}

/* conflict.c: two machines speak for one end of a TCP connection. */
void conflict_handshake(struct worker *w, struct flow *flow, unsigned direction,
			const struct packet *packet, const struct place *place);
void conflict_payload(struct worker *w, struct flow *flow, unsigned direction,
		      const struct packet *packet, const struct place *place);
/* A path of the flow is about to be replaced: frames that came by it have none any more. */
void conflict_forget_path(struct flow *flow, unsigned direction, unsigned path);

/* head.c: TCP streams that begin in pieces. */
struct heads;
struct heads *heads_new(void);
void heads_free(struct heads *heads);
/* A payload without a token.  early: the stream may begin a hello with it.  True when it continues
 * one: *whole is the packet with all pieces as its payload, borrowed until the next call. */
bool heads_add(struct heads *heads, struct flow *flow, unsigned direction,
	       const struct packet *packet, bool early, struct packet *whole);
/* The hello is complete. */
void heads_done(struct heads *heads, struct flow *flow, unsigned direction);

/* hello.c: TLS hellos in one packet or several. */
struct hellos;
struct hello_bytes { /* borrowed until the next call */
	const uint8_t *data;
	size_t len;
};
enum hello_state { HELLO_NONE, HELLO_WAITS, HELLO_SAID };
/* A hello that finds no room counts in STAT_STATE_EVICTED. */
struct hellos *hellos_new(struct stats *stats);
void hellos_free(struct hellos *hellos);
/* A TCP payload.  early: a hello may begin with it.  SAID: it ends a hello, *said is all of it, or
 * as much as there will be; WAITS: the hello goes on in the next one. */
enum hello_state hellos_add(struct hellos *hellos, struct flow *flow, unsigned direction,
			    const struct packet *packet, bool early, uint64_t now_ns,
			    struct hello_bytes *said);

/* shed.c: what is left out under overload; a replay leaves out nothing. */
void shed_look(struct worker *w);
/* Whether a packet is left out of the matching of relayed ones; alike for both copies. */
bool shed_match(const struct worker *w, const struct packet *packet);
/* Whether an event of this kind has to leave the rest of the ring to rarer ones. */
bool shed_event(const struct worker *w, enum event_kind kind);
const char *shed_name(enum shed_level level);

/* reassemble.c: ND messages in IPv6 fragments. */
struct reassembly;
struct reassembly *reassembly_new(struct stats *stats);
void reassembly_free(struct reassembly *reassembly);
/* Takes a fragment.  Returns how many versions of a message it makes whole: 0, 1, or 2 when
 * fragments overlapped with other bytes. */
unsigned reassembly_add(struct reassembly *reassembly, const struct frame *frame,
			const struct packet *packet, uint16_t scope, uint64_t now_ns);
/* The frame as it would have been unfragmented (with an atomic fragment header, RFC 6946) but for
 * number and time, which are those of `frame`; borrowed until the next call. */
const struct frame *reassembly_frame(struct reassembly *reassembly, const struct frame *frame,
				     unsigned version);

/* spread.c: which worker of a replay a frame belongs to. */
unsigned spread_owner(const struct shared *shared, const struct frame *frame,
		      struct packet_stack *scratch);
/* In two steps; of the first */
#define SPREAD_UNKNOWN UINT_MAX /* until it is decoded */
unsigned spread_glance(const struct shared *shared, const struct frame *frame);
unsigned spread_decoded(const struct shared *shared, const struct packet *packet);
/* By what: equal in both directions. */
uint32_t spread_hash(const struct shared *shared, const struct ip_addr *src,
		     const struct ip_addr *dst);

/* loss.c: TCP data that a tap did not show.  outer: the frame's first layer. */
void loss_packet(struct worker *w, struct flow *flow, unsigned direction,
		 const struct packet *packet, const struct packet *outer);
void loss_sweep(struct worker *w); /* once a second */
void loss_tell(struct worker *w);  /* what was counted since */

/* control.c: EVENT_BIT()s of the control events that a packet is, 0 for ordinary traffic. */
uint64_t control_events(const struct packet *packet);

#define PORT_BGP 179
/* DNS 53, mDNS 5353, LLMNR 5355, NetBIOS 137, DHCP 67 and 68, 546 and 547; HSRP 1985 and 2029
 * (RFC 2281), GLBP 3222, RIP 520, RIPng 521, LDP 646 (RFC 5036), Babel 6696 (RFC 8966). */
#define CONTROL_PORT_MAX 6696
#define PORT_BIT(port) (UINT64_C(1) << ((port)&63))
#define CONTROL_PORTS                                                                              \
	(PORT_BIT(53) | PORT_BIT(67) | PORT_BIT(68) | PORT_BIT(137) | PORT_BIT(520) |              \
	 PORT_BIT(521) | PORT_BIT(546) | PORT_BIT(547) | PORT_BIT(646) | PORT_BIT(1985) |          \
	 PORT_BIT(2029) | PORT_BIT(3222) | PORT_BIT(5353) | PORT_BIT(5355) | PORT_BIT(6696))

/* By the last six bits, which most others do not have. */
static inline bool control_port_maybe(uint16_t port)
{
	return port <= CONTROL_PORT_MAX && (CONTROL_PORTS & PORT_BIT(port)) != 0;
}

/* False: control_events() would say 0, as of almost all traffic. */
static inline bool control_maybe(const struct packet *p)
{
	if (p->proto == IPPROTO_NUM_TCP)
		return p->sport == PORT_BGP || p->dport == PORT_BGP;
	if (p->proto == IPPROTO_NUM_UDP)
		return control_port_maybe(p->sport) || control_port_maybe(p->dport);
	return true;
}

#endif
