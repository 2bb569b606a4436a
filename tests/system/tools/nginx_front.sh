#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# nginx as a reverse proxy, with other Host, version and path, in front of somebody else's site.
# Twin: the same in front of a machine of the same tenant.
set -u
# shellcheck source-path=SCRIPTDIR source=site.sh
. "$(dirname "$0")/site.sh"

front() { # HOST-OF-ORIGIN ITS-ADDRESS
	local i
	site_web "$1" "$2"
	echo "<html><body>welcome</body></html>" >"$LAB_DIR/web/index.html"
	cat >"$LAB_DIR/nginx.conf" <<CONF
daemon off;
user root;
pid $LAB_DIR/nginx.pid;
error_log $LAB_DIR/nginx.err;
events { }
http {
	access_log off;
	server {
		listen 203.0.113.120:8080;
		location /shop/ { proxy_pass http://$2/; }
	}
}
CONF
	lab_start t1 "$LAB_DIR/tool.log" nginx -c "$LAB_DIR/nginx.conf"
	sleep 1
	for i in 1 2 3 4 5 6; do
		lab_in r1 curl -s -m 3 -o /dev/null http://203.0.113.120:8080/shop/
		lab_in r1 curl -s -m 3 -o /dev/null "http://203.0.113.120:8080/shop/file?$i"
		sleep 0.3
	done
}

twin() {
	front t2 203.0.113.121
}

attack() {
	front rim 192.0.2.200
	site_await 5 relay.proxy
}

site_run nginx_front tern span nginx python3
