#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# reload.sh - SIGHUP under live traffic, by a sensor that has given up its rights: all of it or
# nothing.  Broken files leave the old ones in force and say where the mistake is; good ones are
# taken, and the log says what they changed; not a frame is lost on the way.
set -u
# shellcheck source-path=SCRIPTDIR source=tenants.sh
. "$(dirname "$0")/tenants.sh"

# reload - and wait until the sensor has told the outcome of this one.
reload() {
	local before
	before=$(outcomes)
	kill -HUP "$LAB_SENSOR"
	lab_until 10 more_outcomes_than "$before"
}

outcomes() {
	grep -cE 'reload refused|reload: rules (unchanged|revision)' "$LAB_DIR/sensor.log"
}

more_outcomes_than() {
	[ "$(outcomes)" -gt "$1" ]
}

# Of the log, what came after the last mark.
mark() {
	MARK=$(wc -l <"$LAB_DIR/sensor.log")
}

says() {
	tail -n "+$((MARK + 1))" "$LAB_DIR/sensor.log" | grep -Eq -- "$1"
}

rules_file() { # rules_file TEXT - the rules that the config names
	printf 'version: 1\nruleset: lab\n%s\n' "$1" >"$LAB_DIR/rules/lab.yaml"
}

count_kind() { # entries of a kind so far
	entries | cut -f3 | grep -cx "$1"
}

has_more_of() {
	[ "$(count_kind "$1")" -gt "$2" ]
}

refused() { # refused WHAT PATTERN - the reload of what is there now
	mark
	reload || lab_bad "$1: no outcome"
	lab_check "$1: refused" says 'reload refused, the old inventory and rules stay'
	lab_check "$1: the mistake is named" says "$2"
	lab_check "$1: nothing was half taken" not says 'reload: (inventory|rules|tenants) '
}

not() {
	! "$@"
}

ARP_RULE='rules:
  - rule: lab.arp
    id: BH-3900
    rev: REV
    on: [spoof.arp]
    title: A lab rule
    condition: actor.tenant != victim.tenant
    severity: high
    output: "{actor.tenant} spoofs {victim.tenant}"
    enabled: ENABLED
    tests:
      - { name: fires, event: { kind: spoof.arp, actor: { tenant: acme }, victim: { tenant: globex } }, expect: EXPECT }'

arp_rule() { # arp_rule REV ENABLED EXPECT
	local text=${ARP_RULE/REV/$1}
	text=${text/ENABLED/$2}
	rules_file "${text/EXPECT/$3}"
}

check_broken() {
	local good
	good=$(cat "$LAB_DIR/inventory.yaml")
	echo "  - { nonsense" >>"$LAB_DIR/inventory.yaml"
	refused "a broken inventory" 'inventory.yaml:[0-9]+:[0-9]+: '
	printf '%s\n' "${good/evil, segments/evil, segmnets/}" >"$LAB_DIR/inventory.yaml"
	refused "an unknown key in the inventory" 'inventory.yaml:[0-9]+:[0-9]+: '
	printf '%s\n' "${good/$B_MAC/$A_MAC}" >"$LAB_DIR/inventory.yaml"
	refused "one MAC of two hosts" 'inventory.yaml:[0-9]+:[0-9]+: '
	printf '%s\n' "$good" >"$LAB_DIR/inventory.yaml"

	rules_file 'rules: [{ rule: x, id: BH-3901, on: [no.such.kind] }]'
	refused "a rule on what does not exist" 'lab.yaml:[0-9]+:[0-9]+: '
	arp_rule 1 true '{ alerts: 1 }'
	sed -i 's/actor.tenant !=/actor.tenent !=/' "$LAB_DIR/rules/lab.yaml"
	refused "a misspelt field in a condition" 'lab.yaml:[0-9]+:[0-9]+: '
	# Good rules beside a broken inventory: neither is taken.
	arp_rule 9 true '{ alerts: 1, severity: high }'
	echo "  - { nonsense" >>"$LAB_DIR/inventory.yaml"
	refused "new rules with a broken inventory" 'inventory.yaml:[0-9]+:[0-9]+: '
	printf '%s\n' "$good" >"$LAB_DIR/inventory.yaml"
	arp_rule 1 true '{ alerts: 1, severity: high }'

	chmod 600 "$LAB_DIR/inventory.yaml"
	refused "an inventory that its user may not read" 'inventory.yaml'
	chmod 644 "$LAB_DIR/inventory.yaml"
	mv "$LAB_DIR/inventory.yaml" "$LAB_DIR/away.yaml"
	refused "an inventory that is gone" 'inventory.yaml'
	mv "$LAB_DIR/away.yaml" "$LAB_DIR/inventory.yaml"
}

check_unchanged() {
	mark
	reload
	lab_check "the same files: unchanged, and says so" says 'reload: inventory unchanged'
	lab_check "rules too" says 'reload: rules unchanged'
}

# As an editor saves: a new file takes the old one's name.
check_changed() {
	sed 's/{ name: globex,/{ name: initech,/' "$LAB_DIR/inventory.yaml" >"$LAB_DIR/new.yaml"
	mv "$LAB_DIR/new.yaml" "$LAB_DIR/inventory.yaml"
	mark
	reload
	lab_check "a renamed tenant is taken" says 'reload: tenants added: initech \(1\)'
	lab_check "and the old name is gone" says 'reload: tenants removed: globex \(1\)'
	arp_rule 2 false none
	mark
	reload
	lab_check "a changed rule is told" says 'rules new or changed: BH-3900 rev 2 off \(1\)'
}

check_detection() {
	poison
	lab_check "what was in force still judges: spoof.arp" lab_until 10 has_more_of spoof.arp 0
}

rule_is_off() {
	local before
	kill "$LAB_PID" # arpspoof
	sleep 1
	before=$(count_kind spoof.arp)
	poison
	sleep 4
	[ "$(count_kind spoof.arp)" -eq "$before" ]
}

reload_storm() {
	local i
	mark
	for i in 1 2 3 4 5 6 7 8 9 10; do
		arp_rule "$i" true '{ alerts: 1, severity: high }'
		reload
	done
	sleep 11 # or the log would hold lines back
	mark
	arp_rule 11 true '{ alerts: 1, severity: high }'
	reload
	lab_check "ten reloads in a row: the tenth was in force" says 'gone or changed: BH-3900 rev 10 '
	lab_check "none was refused" not says 'refused'
}

nothing_lost() {
	lab_log_has 'drops +0 by the kernel' && [ "$(lab_cli HGET bulkhead:sensor:lab restarts)" = 0 ]
}

main() {
	lab_begin arpspoof ping pgrep
	tenants_begin || { lab_end; return; }
	mkdir "$LAB_DIR/rules"
	arp_rule 1 true '{ alerts: 1, severity: high }'
	echo 'rules: [rules/]' >>"$LAB_DIR/bulkhead.yaml"
	lab_sensor "$LAB_DIR/bulkhead.yaml" || { lab_end; return; }
	start_traffic
	check_broken
	check_detection
	check_unchanged
	check_changed
	lab_check "which is off now: no new alert of it" rule_is_off
	reload_storm
	kill -TERM "$LAB_SENSOR"
	wait "$LAB_SENSOR"
	lab_check "SIGTERM ends it with 0" test $? -eq 0
	lab_check "not a frame was lost, and it was the same worker all along" nothing_lost
	[ "$LAB_FAILED" -eq 0 ] || tail -n 60 "$LAB_DIR/sensor.log"
	lab_end
}

main
