/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fanout.c - the frames of one interface spread over several sockets (PACKET_FANOUT).
 *
 * The kernel's own hash takes the ports in, so that fragments part from their flow and the two
 * legs of a relay may part.  This program hashes the unordered pair of IP addresses and nothing
 * else: both directions, all fragments and both legs of a relay that keeps the addresses meet in
 * one worker.
 *
 * The kernel has taken the outermost VLAN tag off before the program runs; one more may be left.
 * Loads are relative to the network header (SKF_NET_OFF); one beyond the frame returns 0.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

#include "capture/source.h"

#define MIX 0x9e3779b1u /* 2^32 by the golden ratio: spreads neighbours (Knuth 6.4) */
#define MIX_SHIFT 12	/* the low bits of a product are its worst */

#define LOAD_TYPE(off) BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (uint32_t)SKF_NET_OFF + (off))
#define LOAD(off) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + (off))
#define TO_X BPF_STMT(BPF_MISC | BPF_TAX, 0)
#define ADD_X BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0)
#define TYPE_IS(type, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, type, yes, no)
#define RETURN_MIXED                                                                               \
	BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, MIX), BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, MIX_SHIFT),  \
	    BPF_STMT(BPF_RET | BPF_A, 0)
/* The sum of source and destination: the same in both directions.  Each word after the first
 * takes three instructions. */
#define SUM_NEXT(off) TO_X, LOAD(off), ADD_X
#define HASH_IPV4(at) LOAD((at) + 12), SUM_NEXT((at) + 16), RETURN_MIXED
#define HASH_IPV4_LEN 7
#define HASH_IPV6(at)                                                                              \
	LOAD((at) + 8), SUM_NEXT((at) + 12), SUM_NEXT((at) + 16), SUM_NEXT((at) + 20),             \
	    SUM_NEXT((at) + 24), SUM_NEXT((at) + 28), SUM_NEXT((at) + 32), SUM_NEXT((at) + 36),    \
	    RETURN_MIXED
#define HASH_IPV6_LEN 25

int fanout_join(int fd, uint16_t group, struct err *err)
{
	static const struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL)),
	    TYPE_IS(0x0800, 8, 0),
	    TYPE_IS(0x86dd, 7 + HASH_IPV4_LEN, 0),
	    TYPE_IS(0x8100, 2, 0),
	    TYPE_IS(0x88a8, 1, 0),
	    BPF_STMT(BPF_RET | BPF_K, 0), /* ARP and the like: one worker has them all */
	    LOAD_TYPE(2),		  /* behind the inner tag */
	    TYPE_IS(0x0800, 2 + HASH_IPV4_LEN + HASH_IPV6_LEN, 0),
	    TYPE_IS(0x86dd, 1 + 2 * HASH_IPV4_LEN + HASH_IPV6_LEN, 0),
	    BPF_STMT(BPF_RET | BPF_K, 0),
	    HASH_IPV4(0),
	    HASH_IPV6(0),
	    HASH_IPV4(4),
	    HASH_IPV6(4),
	};
	struct sock_fprog program = {.len = sizeof code / sizeof code[0],
				     .filter = (struct sock_filter *)(uintptr_t)code};
	int how = group | PACKET_FANOUT_CBPF << 16;

	if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &how, sizeof how) != 0)
		return err_set(err, ERR_RUN, "cannot share the interface among workers: %s",
			       strerror(errno));
	if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &program, sizeof program) != 0)
		return err_set(err, ERR_RUN, "cannot spread frames by address: %s",
			       strerror(errno));
	return 0;
}
