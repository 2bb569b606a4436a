/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.c - see link.h.
 *
 * An interface is followed by its name: after it has gone, one of the same name is the same to
 * us.  While messages come faster than they are read the kernel drops some and says so (ENOBUFS):
 * then the whole list is asked for again.  An interface that is not in that list is gone, which
 * its end mark tells.
 */
#include "cli/link.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_ROOM 32768 /* the kernel's own limit for a part of a list */
#define START_WAIT_MS 2000
/* Pseudo-interface of the capture library: all of them, which are never all down. */
#define ANY "any"

const char *link_state_name(enum link_state state)
{
	switch (state) {
	case LINK_UP:
		return "up";
	case LINK_DOWN:
		return "down";
	case LINK_GONE:
		return "gone";
	}
	return "unknown";
}

static int ask_for_list(int fd)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
	} ask = {
	    .head = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
		     .nlmsg_type = RTM_GETLINK,
		     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
	    .info = {.ifi_family = AF_UNSPEC},
	};

	return send(fd, &ask, sizeof ask, MSG_NOSIGNAL) == (ssize_t)sizeof ask ? 0 : -1;
}

static const char *name_in(const struct nlmsghdr *head)
{
	const struct ifinfomsg *info = NLMSG_DATA(head);
	const struct rtattr *a = IFLA_RTA(info);
	size_t left = IFLA_PAYLOAD(head);

	while (left >= sizeof *a && a->rta_len >= sizeof *a && a->rta_len <= left) {
		size_t step = RTA_ALIGN(a->rta_len);
		const char *name = RTA_DATA(a);

		if (a->rta_type == IFLA_IFNAME)
			return memchr(name, '\0', RTA_PAYLOAD(a)) != NULL ? name : NULL;
		if (step >= left)
			break;
		left -= step;
		a = (const struct rtattr *)((const char *)a + step);
	}
	return NULL;
}

static void set(struct link *link, int index, unsigned flags)
{
	bool enabled = (flags & IFF_UP) != 0;

	if (index == 0 || !enabled)
		link->came = false;
	else if (link->index != index || !link->enabled)
		link->came = true;
	link->index = index;
	link->enabled = enabled;
	link->state = index == 0			      ? LINK_GONE
		      : enabled && (flags & IFF_RUNNING) != 0 ? LINK_UP
							      : LINK_DOWN;
}

static void take_link(struct links *links, const struct nlmsghdr *head)
{
	const struct ifinfomsg *info = NLMSG_DATA(head);
	const char *name;

	/* Of another family is what a bridge tells of its ports. */
	if (head->nlmsg_len < NLMSG_LENGTH(sizeof *info) || info->ifi_family != AF_UNSPEC)
		return;
	name = name_in(head);
	for (unsigned i = 0; i < links->count; i++) {
		struct link *link = &links->link[i];
		bool named = name != NULL && strcmp(name, link->interface) == 0;

		if (head->nlmsg_type == RTM_NEWLINK && named) {
			set(link, info->ifi_index, info->ifi_flags);
			link->listed = true;
		} else if (link->index == info->ifi_index &&
			   (head->nlmsg_type == RTM_DELLINK || (name != NULL && !named))) {
			set(link, 0, 0); /* removed, or goes by another name now */
		}
	}
}

static void list_begins(struct links *links)
{
	for (unsigned i = 0; i < links->count; i++)
		links->link[i].listed = false;
}

static void list_ends(struct links *links)
{
	for (unsigned i = 0; i < links->count; i++)
		if (!links->link[i].listed && strcmp(links->link[i].interface, ANY) != 0)
			set(&links->link[i], 0, 0);
}

/* The messages of one datagram; true when they end a list. */
static bool take_datagram(struct links *links, const void *bytes, size_t len)
{
	const struct nlmsghdr *head = bytes;
	size_t left = len;
	bool ends = false;

	while (NLMSG_OK(head, left)) {
		size_t step = NLMSG_ALIGN(head->nlmsg_len);

		if (head->nlmsg_type == NLMSG_DONE)
			ends = true;
		else if (head->nlmsg_type == RTM_NEWLINK || head->nlmsg_type == RTM_DELLINK)
			take_link(links, head);
		if (step >= left)
			break;
		left -= step;
		head = (const struct nlmsghdr *)((const char *)head + step);
	}
	return ends;
}

/* Reads until nothing is left; true when a list came to its end on the way. */
static bool take_news(struct links *links)
{
	_Alignas(struct nlmsghdr) char bytes[MESSAGE_ROOM];
	bool ended = false;

	for (;;) {
		struct sockaddr_nl from = {0};
		socklen_t from_len = sizeof from;
		ssize_t n = recvfrom(links->fd, bytes, sizeof bytes, MSG_DONTWAIT,
				     (struct sockaddr *)&from, &from_len);

		if (n < 0 && errno == ENOBUFS) {
			list_begins(links);
			if (ask_for_list(links->fd) == 0)
				continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ended;
		if (from.nl_pid == 0 && take_datagram(links, bytes, (size_t)n)) {
			list_ends(links);
			ended = true;
		}
	}
}

static int failed(struct links *links, int reason, struct err *err)
{
	links_close(links);
	return err_set(err, ERR_RUN, "cannot watch the state of links: %s", strerror(reason));
}

int links_open(struct links *links, const struct options *options, struct err *err)
{
	struct sockaddr_nl self = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	struct pollfd ready = {.events = POLLIN};

	memset(links, 0, sizeof *links);
	links->count = options->capture_count;
	for (unsigned i = 0; i < links->count; i++)
		links->link[i].interface = options->capture[i].interface;
	links->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (links->fd < 0 || bind(links->fd, (struct sockaddr *)&self, sizeof self) != 0 ||
	    ask_for_list(links->fd) != 0)
		return failed(links, errno, err);
	ready.fd = links->fd;
	do {
		if (poll(&ready, 1, START_WAIT_MS) <= 0)
			return failed(links, ETIMEDOUT, err);
	} while (!take_news(links));
	for (unsigned i = 0; i < links->count; i++)
		links->link[i].came = false;
	return 0;
}

void links_read(struct links *links, void (*changed)(void *context, unsigned index), void *context)
{
	enum link_state before[OPTIONS_MAX_CAPTURES];

	for (unsigned i = 0; i < links->count; i++)
		before[i] = links->link[i].state;
	(void)take_news(links);
	for (unsigned i = 0; i < links->count; i++)
		if (links->link[i].state != before[i])
			changed(context, i);
}

void links_text(const struct links *links, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < links->count && at < size; i++) {
		int n = snprintf(out + at, size - at, "%s%s %s", i > 0 ? ", " : "",
				 links->link[i].interface, link_state_name(links->link[i].state));

		at += n > 0 ? (size_t)n : 0;
	}
}

void links_close(struct links *links)
{
	if (links->fd > 0)
		(void)close(links->fd);
	links->fd = 0;
}
